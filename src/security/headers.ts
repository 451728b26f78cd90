/**
 *
 * Changes header fields between a client and a backend, in both directions.
 *
 * Order, case and duplicates are kept. Hop-by-hop fields and those that `Connection` names are removed (RFC 9110 section
 * 7.6.1); facts about the client are added; then the edits of the route apply, also to what was added. Everything works on
 * flat lists (name, value, …) in one pass, because the head of every request goes through here.
 *
 * `Trailer` stays: it is not a hop-by-hop field (RFC 9110 section 6.6.2), and trailers are passed on.
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

/** Edits of a route, applied in this order: remove, set, add. Names keep their case. */
export interface HeaderEdits {
  readonly remove: readonly string[]; // lower case
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}

/** `HeaderEdits` prepared for a single pass. */
export interface BuiltHeaderEdits {
  /** Names to remove and names to set; the proxy does not add these fields either. */
  readonly dropped: NameTable<true> | null;
  /** Fields that are appended. */
  readonly appended: readonly string[];
}

/** The part of a request head that forwarding needs. */
interface ForwardableHead {
  readonly headers: HeaderList;
  /** Lower-case names that `Connection` lists, without `close`, `keep-alive` and `upgrade`. */
  readonly connectionTokens: readonly string[];
}

/** Milliseconds left for the request; used from trusted peers, reduced, and passed on. */
export const DEADLINE_FIELD = 'X-Request-Deadline-Ms';

/** Asks for a decision record, and in the response identifies it. Only between a client and this proxy. */
export const EXPLAIN_FIELD = 'X-Fairlead-Explain';

export function maskSecretFields(headers: HeaderList): string[] {
  return headers.map((text, at) => (at % 2 === 1 && isSecretName(headers[at - 1] ?? '') ? MASK : text));
}

/** RFC 9110 section 7.6.1; `Proxy-Connection`, which old clients send for `Connection`; and the fields of h2c upgrades. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
/** CGI turns these into the variables of the fields that frame a message (RFC 3875 section 4.1.18). They have no other use. */
const LOOK_ALIKES = ['transfer_encoding', 'content_length'];
/**
 * Replaced by the proxy. `Expect` is answered here, and `Proxy-Authorization` is meant for this proxy (RFC 9110
 * section 11.7.2). `Proxy` is not a field of HTTP, but CGI turns it into HTTP_PROXY, which many programs use as the proxy for
 * their own requests (CVE-2016-5385).
 */
const REPLACED = [
  'host',
  'proxy',
  'expect',
  'proxy-authorization',
  'x-request-id',
  'x-forwarded-for',
  'forwarded',
  'x-request-deadline-ms',
  'x-fairlead-explain',
];
/**
 * These cannot be removed by naming them in `Connection`, nor can any `X-Forwarded-*`: they are meant for all recipients (RFC
 * 9110 section 7.6.1), and a backend that misses one misreads the request.
 */
const PROTECTED = nameSet([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'range',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'via',
  'forwarded',
  'x-real-ip',
  'traceparent',
  'tracestate',
]);
/** RFC 9110 section 6.5.1: fields that frame, route, authenticate or describe a message are not allowed in trailers. */
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
  ...[...HOP_BY_HOP, ...LOOK_ALIKES, ...REPLACED].map(name => [name, 'removed'] as const),
  ['te', 'te'],
  ['cookie', 'cookie'],
]);
const OURS = [...HOP_BY_HOP, 'proxy-authenticate', 'x-request-id', 'x-fairlead-explain'];
const NOT_FOR_CLIENTS = nameSet(OURS);
/** RFC 9110 section 8.6: no Content-Length in 1xx and 204. */
const NOT_WITHOUT_BODY = nameSet([...OURS, 'content-length']);
const NOT_FOR_TRAILERS = nameSet([...HOP_BY_HOP, ...NOT_IN_TRAILERS]);
/** Agreed between client and backend: no edit of a route changes them. */
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

/** The fields for the backend, without `Host`, which is passed separately. */
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
    if (fate === 'removed' || isFalseClaim(name, facts.claim) || isCertificateClaim(name)) continue;
    // The only TE that a proxy passes on, and only between HTTP/2 streams: gRPC requires it (RFC 9113 section 8.2.2).
    if (fate === 'te' && !(facts.protocol === 'HTTP/2.0' && value.toLowerCase() === 'trailers')) continue;
    if (fate === 'cookie' && facts.protocol === 'HTTP/2.0') {
      // HTTP/2 may split a cookie; it is joined here for HTTP/1.1 backends (RFC 9113 section 8.2.3).
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

/** The response fields for the client: those of the backend, our `Via`, the request id, and the edits of the route. */
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

/** Applies the edits of a route to a response of the proxy itself (a redirect, a direct response). */
export function editHeaders(headers: HeaderList, { dropped, appended }: BuiltHeaderEdits): HeaderList {
  if (dropped === null && appended.length === 0) return headers;
  const kept = headers.filter((_, at) => dropped?.has(headers[at - (at % 2)] as string) !== true);
  return [...kept, ...appended];
}

/** The fields of an interim response: those of the backend only. */
export function filterInformation(headers: HeaderList): string[] {
  return endToEnd(headers, NOT_WITHOUT_BODY, null);
}

/** Removes hop-by-hop and forbidden fields from trailers, in either direction. */
export function filterTrailers(trailers: HeaderList): string[] {
  const kept = endToEnd(trailers, NOT_FOR_TRAILERS, null);
  return kept.filter((_, at) => !isCertificateClaim(kept[at - (at % 2)] as string));
}

/** The fields of a 101 response, with those that make it a WebSocket (RFC 6455 section 4.2.2). */
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
  const lower = name.toLowerCase();
  return connectionTokens.includes(lower) && !PROTECTED.has(name) && !lower.startsWith('x-forwarded-');
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

/** The field names in a `Connection` value, in lower case, without the three options that name no field to remove. */
export function connectionOptions(value: string): readonly string[] {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return NO_TOKENS;
  return lower
    .split(',')
    .map(token => token.trim())
    .filter(token => token !== '' && token !== 'keep-alive' && token !== 'close' && token !== 'upgrade');
}

/** Safe in a header and in a log line, and long enough to be unique. */
export function acceptRequestId(value: string): boolean {
  return /^[A-Za-z0-9._-]{8,128}$/.test(value);
}
