/**
 * What happens to header fields between a client and a backend, both ways.
 *
 * Order, case and duplicates are kept. Fields for one hop are removed, and those that `Connection` names (RFC 9110
 * section 7.6.1); what a backend must know of the client is added behind; then the route's edits apply, also to what
 * was added. Everything works on flat lists (name, value, ...), in one pass, because a head of fifteen fields is read
 * for every request.
 *
 * `Trailer` stays: it is no field of one hop (RFC 9110 section 6.6.2), and trailers are passed on.
 */
import { type HeaderList, NameTable, nameSet, put } from './fields.ts';
import {
  appendForwarding,
  type ForwardingFacts,
  isCertificateClaim,
  isFalseClaim,
  PSEUDONYM,
} from './forwarding.ts';
import { isSecretName, MASK } from './secrets.ts';

export { findHeader, type HeaderList } from './fields.ts';
export { detectLoop } from './forwarding.ts';

/** Changes to a head that a route asks for, applied in this order: remove, set, add. Names keep their case. */
export interface HeaderEdits {
  readonly remove: readonly string[]; // lower case
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}

/** `HeaderEdits` in the form that one pass needs. */
export interface BuiltHeaderEdits {
  /** What is taken out, and not added by the proxy either: names to remove and names to set. */
  readonly dropped: NameTable<true> | null;
  /** What is put behind. */
  readonly appended: readonly string[];
}

/** The part of a request head that forwarding needs. */
interface ForwardableHead {
  readonly headers: HeaderList;
  /** Lower-case names that `Connection` lists, without `close`, `keep-alive` and `upgrade`. */
  readonly connectionTokens: readonly string[];
}

/** Milliseconds that are left for the request; believed from trusted peers, lowered, and passed on. */
export const DEADLINE_FIELD = 'X-Request-Deadline-Ms';

/** Asks for a decision record, and in the answer says where it is. Between a client and this proxy only. */
export const EXPLAIN_FIELD = 'X-Fairlead-Explain';

export function maskSecretFields(headers: HeaderList): string[] {
  return headers.map((text, at) => (at % 2 === 1 && isSecretName(headers[at - 1] ?? '') ? MASK : text));
}

/** RFC 9110 section 7.6.1; `Proxy-Connection`, which old clients send for `Connection`; what is left of h2c upgrades. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
/** Set anew. `Expect` is answered here; `Proxy-Authorization` was meant for this proxy (RFC 9110 section 11.7.2). */
const REPLACED = [
  'host',
  'expect',
  'proxy-authorization',
  'x-request-id',
  'x-forwarded-for',
  'forwarded',
  'x-request-deadline-ms',
  'x-fairlead-explain',
];
/** Nobody may have these removed by naming them in `Connection`. */
const PROTECTED = nameSet([
  'host',
  'content-length',
  'via',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]);
/** RFC 9110 section 6.5.1: fields that frame, route, authenticate or describe a message cannot come behind it. */
const NOT_IN_TRAILERS = [
  ...REPLACED,
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'trailer',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'location',
  'www-authenticate',
  'proxy-authenticate',
];

const REQUEST_FIELDS = new NameTable<'removed' | 'te' | 'cookie'>([
  ...[...HOP_BY_HOP, ...REPLACED].map(name => [name, 'removed'] as const),
  ['te', 'te'],
  ['cookie', 'cookie'],
]);
const OURS = [...HOP_BY_HOP, 'proxy-authenticate', 'x-request-id', 'x-fairlead-explain'];
const NOT_FOR_CLIENTS = nameSet(OURS);
/** RFC 9110 section 8.6: no Content-Length in 1xx and 204. */
const NOT_WITHOUT_BODY = nameSet([...OURS, 'content-length']);
const NOT_FOR_TRAILERS = nameSet([...HOP_BY_HOP, ...NOT_IN_TRAILERS]);
/** What client and backend have agreed on: no edit of a route changes it. */
const HANDSHAKE = nameSet([
  'connection',
  'upgrade',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
]);
const CONNECTION = nameSet(['connection']);
const NO_TOKENS: readonly string[] = [];

export function buildHeaderEdits({ remove, set, add }: HeaderEdits): BuiltHeaderEdits {
  const dropped = [...remove, ...set.map(([name]) => name.toLowerCase())];
  return { dropped: dropped.length === 0 ? null : nameSet(dropped), appended: [...set, ...add].flat() };
}

/** The fields for the backend, without `Host`, which goes apart. */
export function buildUpstreamHeaders(
  { headers, connectionTokens }: ForwardableHead,
  facts: ForwardingFacts,
  edits: BuiltHeaderEdits,
): string[] {
  const { dropped } = edits;
  const list: string[] = [];
  let cookieAt = -1;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (dropped?.has(name) === true || isListed(name, connectionTokens)) continue;
    const fate = REQUEST_FIELDS.find(name);
    if (fate === 'removed' || isFalseClaim(name, facts.peerTrusted) || isCertificateClaim(name)) continue;
    // The only TE that crosses a proxy, and only between streams of HTTP/2: gRPC asks for it (RFC 9113 section 8.2.2).
    if (fate === 'te' && !(facts.protocol === 'HTTP/2.0' && value.toLowerCase() === 'trailers')) continue;
    if (fate === 'cookie' && facts.protocol === 'HTTP/2.0') {
      // HTTP/2 may cut it into crumbs, which nobody else puts together (RFC 9113 section 8.2.3).
      if (cookieAt >= 0) {
        list[cookieAt] += `; ${value}`;
        continue;
      }
      cookieAt = list.length + 1;
    }
    list.push(name, value);
  }
  appendForwarding(list, headers, facts, dropped);
  for (const text of edits.appended) list.push(text);
  return list;
}

/** What the client gets of a backend's fields, with our `Via`, the request id and the route's edits. */
export function filterResponseHeaders(
  status: number,
  headers: HeaderList,
  facts: { readonly requestId: string },
  edits: BuiltHeaderEdits,
): string[] {
  const { dropped } = edits;
  const list = endToEnd(headers, status === 204 ? NOT_WITHOUT_BODY : NOT_FOR_CLIENTS, dropped);
  put(list, dropped, 'Via', `1.1 ${PSEUDONYM}`);
  put(list, dropped, 'X-Request-Id', facts.requestId);
  for (const text of edits.appended) list.push(text);
  return list;
}

/** The route's edits on an answer of the proxy's own (a redirect, a direct response). */
export function editHeaders(headers: HeaderList, { dropped, appended }: BuiltHeaderEdits): HeaderList {
  if (dropped === null && appended.length === 0) return headers;
  const kept = headers.filter((_, at) => dropped?.has(headers[at - (at % 2)] as string) !== true);
  return [...kept, ...appended];
}

/** The fields of an interim answer: what the backend said, and no more. */
export function filterInformation(headers: HeaderList): string[] {
  return endToEnd(headers, NOT_WITHOUT_BODY, null);
}

/** Removes hop-by-hop and forbidden fields from trailers, in either direction. */
export function filterTrailers(trailers: HeaderList): string[] {
  const kept = endToEnd(trailers, NOT_FOR_TRAILERS, null);
  return kept.filter((_, at) => !isCertificateClaim(kept[at - (at % 2)] as string));
}

/** The fields of a 101 answer, with those that make it one (RFC 6455 section 4.2.2). */
export function filterTunnelHeaders(
  headers: HeaderList,
  facts: { readonly requestId: string },
  { dropped, appended }: BuiltHeaderEdits,
): string[] {
  const fields = endToEnd(headers, NOT_WITHOUT_BODY, null);
  const list: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as string;
    if (dropped?.has(name) !== true || HANDSHAKE.has(name)) list.push(name, fields[at + 1] as string);
  }
  list.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
  put(list, dropped, 'X-Request-Id', facts.requestId);
  for (let at = 0; at + 1 < appended.length; at += 2) {
    const name = appended[at] as string;
    if (!HANDSHAKE.has(name)) list.push(name, appended[at + 1] as string);
  }
  return list;
}

function endToEnd(headers: HeaderList, removed: NameTable<true>, dropped: NameTable<true> | null): string[] {
  const tokens = connectionTokensOf(headers);
  const list: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (removed.has(name) || dropped?.has(name) === true || isListed(name, tokens)) continue;
    list.push(name, headers[at + 1] as string);
  }
  return list;
}

function isListed(name: string, connectionTokens: readonly string[]): boolean {
  if (connectionTokens.length === 0) return false;
  return connectionTokens.includes(name.toLowerCase()) && !PROTECTED.has(name);
}

function connectionTokensOf(headers: HeaderList): readonly string[] {
  let tokens = NO_TOKENS;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (!CONNECTION.has(headers[at] as string)) continue;
    const more = connectionOptions(headers[at + 1] as string);
    if (more.length > 0) tokens = [...tokens, ...more];
  }
  return tokens;
}

/** The field names in a `Connection` value, in lower case; the three options that name no field of ours are left out. */
export function connectionOptions(value: string): readonly string[] {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return NO_TOKENS;
  return lower
    .split(',')
    .map(token => token.trim())
    .filter(token => token !== '' && token !== 'keep-alive' && token !== 'close' && token !== 'upgrade');
}

/** Harmless in a header and in a log line, and long enough to be unique. */
export function acceptRequestId(value: string): boolean {
  return /^[A-Za-z0-9._-]{8,128}$/.test(value);
}
