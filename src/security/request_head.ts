/**
 * The only constructor of `RequestHead`: turns a raw request into one that the rest can rely on, or into a failure.
 *
 * Node's parsers have framed the message already (RFC 9112 section 6). This refuses what they wrongly accept, determines the
 * authority (`authority.ts`), normalises the path for matching (`path.ts`), and notes what forwarding needs. One pass over
 * the fields; most names are never lower-cased.
 */
import type { Failure } from '../resilience/failure.ts';
import { hostForMatching, type RequestTarget, splitTarget } from './authority.ts';
import { type HeaderList, type HeaderRules, NameTable, withoutUnderscores } from './fields.ts';
import { connectionOptions } from './headers.ts';
import { normalisePath, type PathRules } from './path.ts';

export interface HeadLimits {
  readonly headBytesMax: number;
  readonly headerCountMax: number;
  readonly uriBytesMax: number;
}

/** A request as Node's servers report it. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** Flat list in the original order and case; without pseudo-header fields of HTTP/2. */
  readonly headers: HeaderList;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** `:authority` of HTTP/2. */
  readonly authority: string | null;
  /** HTTP/2: no body follows the head. */
  readonly endOfStream: boolean;
}

declare const parsed: unique symbol;

export interface RequestHead {
  readonly [parsed]: true;
  readonly method: string;
  /** The target for the backend: origin form, byte for byte, or `*`. */
  readonly target: string;
  /** `target` up to the question mark. */
  readonly path: string;
  /** From the question mark on, or empty. */
  readonly query: string;
  /** The normalised `path`, for matching. */
  readonly matchPath: string;
  /** Host and port as the client sent them; empty for HTTP/1.0 without `Host`. */
  readonly authority: string;
  /** Lower case, without port and trailing dot, for matching. */
  readonly matchHost: string;
  readonly headers: HeaderList;
  /** Lower-case names that `Connection` lists, without `close`, `keep-alive` and `upgrade`. */
  readonly connectionTokens: readonly string[];
  readonly contentLength: number | null;
  readonly hasBody: boolean;
  /** The client waits for 100 before it sends its body (RFC 9110 section 10.1.1). */
  readonly expectContinue: boolean;
  readonly upgrade: 'websocket' | null;
  readonly accept: string | null;
}

/** Results of the pass over the fields. */
interface Findings {
  host: string | null;
  contentLength: string | null;
  transferEncoding: string | null;
  connectionTokens: readonly string[];
  connectionUpgrade: boolean;
  expect: string | null;
  upgrade: string | null;
  accept: string | null;
  authorization: string | null;
  contentType: string | null;
  underscores: boolean;
  bytes: number;
  /** Parts of one split cookie, beyond the first (RFC 9113 section 8.2.3): they count as one field. */
  crumbs: number;
  problem: string | null;
}

/** The fields that are read here; `h2-never` marks those that are only forbidden in HTTP/2. */
type Field =
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'expect'
  | 'upgrade'
  | 'accept'
  | 'te'
  | 'cookie'
  | 'authorization'
  | 'content-type'
  | 'h2-never';

const FIELDS = new NameTable<Field>([
  ['host', 'host'],
  ['content-length', 'content-length'],
  ['transfer-encoding', 'transfer-encoding'],
  ['connection', 'connection'],
  ['expect', 'expect'],
  ['upgrade', 'upgrade'],
  ['accept', 'accept'],
  ['te', 'te'],
  ['cookie', 'cookie'],
  ['authorization', 'authorization'],
  ['content-type', 'content-type'],
  ['keep-alive', 'h2-never'],
  ['proxy-connection', 'h2-never'],
]);

const NO_TOKENS: readonly string[] = [];
/** Compared with every field. */
const CONNECTION_TOKENS_MAX = 32;
/** RFC 9110 section 5.6.2. Node's HTTP/1 parser knows the methods; HTTP/2 accepts any text. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

export function parseRequestHead(
  raw: RawRequest,
  limits: HeadLimits,
  rules: PathRules,
  fieldRules: HeaderRules,
): RequestHead | Failure {
  const { method, headers, protocol } = raw;
  if (method === 'CONNECT') return { kind: 'method_not_supported', method };
  if (raw.target.length > limits.uriBytesMax) {
    return { kind: 'uri_too_long', limitBytes: limits.uriBytesMax };
  }
  const found = readFields(raw);
  if (headers.length / 2 - found.crumbs > limits.headerCountMax) {
    return { kind: 'head_too_large', limit: limits.headerCountMax, unit: 'fields' };
  }
  if (found.bytes > limits.headBytesMax) {
    return { kind: 'head_too_large', limit: limits.headBytesMax, unit: 'bytes' };
  }
  const problem = found.problem ?? framingProblem(protocol, found);
  if (problem !== null) return badRequest(problem);
  if (found.underscores && fieldRules.underscores === 'reject') {
    return badRequest('A field name contains an underscore.');
  }
  if (method !== 'GET' && !TOKEN.test(method)) return badRequest('The method is malformed.');
  const requested = splitTarget(raw, found.host);
  if (typeof requested === 'string') return badRequest(requested);
  const isDropped = found.underscores && fieldRules.underscores === 'drop';
  return finish(isDropped ? { ...raw, headers: withoutUnderscores(headers) } : raw, rules, found, requested);
}

function finish(
  raw: RawRequest,
  rules: PathRules,
  found: Findings,
  requested: RequestTarget,
): RequestHead | Failure {
  const { target, authority } = requested;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const matchPath = path === '*' ? path : normalisePath(path, rules);
  if (typeof matchPath !== 'string') return matchPath;

  const contentLength = found.contentLength === null ? null : Number(found.contentLength);
  const hasBody =
    raw.protocol === 'HTTP/2.0'
      ? !raw.endOfStream
      : found.transferEncoding !== null || (contentLength !== null && contentLength > 0);
  // RFC 9113 section 8.1.1; a backend would wait for a body that never comes.
  if (!hasBody && contentLength !== null && contentLength > 0) return badRequest('The body is missing.');
  // Only exactly `websocket`: any other value, such as `h2c`, could smuggle a second protocol past the proxy.
  const asksForWebSocket = found.connectionUpgrade && found.upgrade?.toLowerCase() === 'websocket';
  // Node has detached its parser: the body would be read as bytes of a tunnel.
  if (asksForWebSocket && hasBody) return badRequest('A WebSocket handshake cannot have a body.');
  const head: Omit<RequestHead, typeof parsed> = {
    method: raw.method,
    target,
    path,
    query: question < 0 ? '' : target.slice(question),
    matchPath,
    authority,
    matchHost: hostForMatching(authority),
    headers: raw.headers,
    connectionTokens: found.connectionTokens,
    contentLength,
    hasBody,
    expectContinue: hasBody && raw.protocol !== 'HTTP/1.0' && found.expect?.toLowerCase() === '100-continue',
    // RFC 6455 section 4.1
    upgrade: asksForWebSocket && raw.method === 'GET' && raw.protocol === 'HTTP/1.1' ? 'websocket' : null,
    accept: found.accept,
  };
  return head as RequestHead;
}

function readFields(raw: RawRequest): Findings {
  const found: Findings = {
    host: null,
    contentLength: null,
    transferEncoding: null,
    connectionTokens: NO_TOKENS,
    connectionUpgrade: false,
    expect: null,
    upgrade: null,
    accept: null,
    authorization: null,
    contentType: null,
    underscores: false,
    bytes: raw.method.length + raw.target.length + (raw.authority?.length ?? 0),
    crumbs: -1,
    problem: null,
  };
  const { headers } = raw;
  const http2 = raw.protocol === 'HTTP/2.0';
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    found.bytes += name.length + value.length + 4; // ": " and CR LF
    if (name.includes('_')) found.underscores = true;
    const field = FIELDS.find(name);
    if (field !== undefined) noteField(found, field, value, http2);
  }
  found.crumbs = http2 ? Math.max(0, found.crumbs) : 0;
  return found;
}

function noteField(found: Findings, field: Field, value: string, http2: boolean): void {
  switch (field) {
    case 'host':
      // RFC 9112 section 3.2: a second Host is an attack or a defect, and Node accepts it.
      if (found.host !== null) found.problem = 'More than one Host field.';
      found.host = value;
      return;
    case 'content-length':
      if (found.contentLength !== null || !/^\d{1,15}$/.test(value)) {
        found.problem = 'Invalid Content-Length.';
      }
      found.contentLength = value;
      return;
    // One value each (RFC 9110 sections 8.3 and 11.6.2): of two, the proxy and a backend could each take another one.
    case 'authorization':
      if (found.authorization !== null) found.problem = 'More than one Authorization field.';
      found.authorization = value;
      return;
    case 'content-type':
      if (found.contentType !== null) found.problem = 'More than one Content-Type field.';
      found.contentType = value;
      return;
    case 'accept':
      found.accept = joined(found.accept, value);
      return;
    case 'expect':
      found.expect = joined(found.expect, value);
      return;
    case 'cookie':
      found.crumbs++;
      return;
    case 'te':
      if (http2 && value.toLowerCase() !== 'trailers') {
        found.problem = 'HTTP/2 allows only "trailers" in TE.';
      }
      return;
    case 'transfer-encoding':
      found.transferEncoding = joined(found.transferEncoding, value);
      break;
    case 'upgrade':
      found.upgrade = joined(found.upgrade, value);
      break;
    case 'connection':
      noteConnection(found, value);
      break;
  }
  // RFC 9113 section 8.2.2
  if (http2) found.problem = 'HTTP/2 does not allow connection-specific fields.';
}

function noteConnection(found: Findings, value: string): void {
  if (/(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(value)) found.connectionUpgrade = true;
  const tokens = connectionOptions(value);
  if (tokens.length === 0) return;
  if (found.connectionTokens.length + tokens.length > CONNECTION_TOKENS_MAX) {
    found.problem = 'The Connection field lists too many names.';
  } else found.connectionTokens = [...found.connectionTokens, ...tokens];
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** RFC 9112 section 6.1: a message that could be framed in two ways is refused. */
function framingProblem(protocol: RawRequest['protocol'], found: Findings): string | null {
  if (found.transferEncoding === null) return null;
  if (found.contentLength !== null) return 'Both Content-Length and Transfer-Encoding are present.';
  if (protocol === 'HTTP/1.0') return 'HTTP/1.0 does not allow Transfer-Encoding.';
  if (found.transferEncoding.toLowerCase() === 'chunked') return null;
  return 'The only supported Transfer-Encoding is chunked.';
}

function badRequest(detail: string): Failure {
  return { kind: 'bad_request', detail };
}
