/**
 * Converts a finished request to spans: one SERVER span, and one CLIENT span per attempt. JSON of OTLP 1.x, with the
 * stable attributes of the OpenTelemetry semantic conventions for HTTP.
 */
import { FAILURE_RULES } from '../resilience/failure.ts';
import type { PathMatch } from '../routing/route.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';
import { splitHost } from './host_and_port.ts';
import type { TraceContext } from './trace_context.ts';

const SERVER = 2;
const CLIENT = 3;
const STATUS_ERROR = 2;

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

/** `path` without secrets; `endWallMs` is the time of day at the end of the request. */
export function spansOf(record: RequestRecord, trace: TraceContext, path: string, endWallMs: number): Span[] {
  const toWall = (ms: number): string => nanoseconds(endWallMs - (record.endedAtMs - ms));
  const server = serverSpan(record, trace, path, toWall);
  return [server, ...record.attempts.map((attempt, at) => clientSpan(attempt, at, record, trace, toWall))];
}

function serverSpan(
  record: RequestRecord,
  trace: TraceContext,
  path: string,
  toWall: (ms: number) => string,
): Span {
  const { method, name } = methodOf(record);
  const route = record.routePath === null ? null : httpRoute(record.routePath);
  const { address, port } = serverOf(record.host);
  const question = path.indexOf('?');
  const isError =
    record.status >= 500 || (record.reason !== null && FAILURE_RULES[record.reason].blame !== 'client');
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(trace.parentId === null ? {} : { parentSpanId: trace.parentId }),
    name: route === null ? name : `${name} ${route}`,
    kind: SERVER,
    startTimeUnixNano: toWall(record.startedAtMs),
    endTimeUnixNano: toWall(record.endedAtMs),
    attributes: attributes({
      'http.request.method': method,
      'http.request.method_original': method === record.method ? null : record.method,
      'url.scheme': record.tls === null ? 'http' : 'https',
      'url.path': question < 0 ? path : path.slice(0, question),
      'url.query': question < 0 ? null : path.slice(question + 1),
      'http.route': route,
      'http.response.status_code': record.status,
      'server.address': address,
      'server.port': port,
      'client.address': record.clientIp,
      'network.peer.address': record.peerIp,
      'network.protocol.version':
        record.protocol === 'HTTP/2.0' ? '2' : record.protocol.slice('HTTP/'.length),
      'user_agent.original': record.userAgent,
      'error.type': isError ? (record.reason ?? String(record.status)) : null,
      'fairlead.request_id': record.requestId,
      'fairlead.route': record.route,
      'fairlead.cluster': record.cluster,
      'fairlead.queue_ms': milliseconds(record.queueMs),
    }),
    status: isError ? { code: STATUS_ERROR } : {},
  };
}

function clientSpan(
  attempt: AttemptRecord,
  at: number,
  record: RequestRecord,
  trace: TraceContext,
  toWall: (ms: number) => string,
): Span {
  const { endpoint, status, reason, reused, connectMs } = attempt;
  const { address, port } = serverOf(endpoint);
  const { method, name } = methodOf(record);
  const isError = reason !== null || (status ?? 0) >= 400;
  return {
    traceId: trace.traceId,
    spanId: attempt.spanId ?? '',
    parentSpanId: trace.spanId,
    name,
    kind: CLIENT,
    startTimeUnixNano: toWall(attempt.startedAtMs),
    endTimeUnixNano: toWall(attempt.endedAtMs ?? record.endedAtMs),
    attributes: attributes({
      'http.request.method': method,
      'http.request.method_original': method === record.method ? null : record.method,
      'http.response.status_code': status,
      'http.request.resend_count': at === 0 ? null : at,
      'server.address': address,
      'server.port': port,
      'error.type': isError ? (reason ?? String(status)) : null,
      'fairlead.cluster': record.cluster,
      'fairlead.reused': reused,
      'fairlead.connect_ms': milliseconds(connectMs),
    }),
    status: isError ? { code: STATUS_ERROR } : {},
  };
}

const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

/** The method, and how a span is called after it: a client must not be able to invent values of either. */
function methodOf({ method }: RequestRecord): { readonly method: string; readonly name: string } {
  return METHODS.has(method) ? { method, name: method } : { method: '_OTHER', name: 'HTTP' };
}

/** `server.address` is a name, an address without brackets, or the path of a socket. */
function serverOf(authority: string): { readonly address: string | null; readonly port: number | null } {
  const { name, port } = splitHost(authority);
  return { address: name?.replace(/^unix:|^\[|\]$/g, '') ?? null, port };
}

/**
 * The path pattern of the route: a template as written, and what means the same for the others. A prefix is a template that
 * ends in the wildcard for any rest (`routing/pattern.ts`).
 */
function httpRoute({ kind, value }: PathMatch): string {
  return kind === 'prefix' ? `${value === '/' ? '' : value}/**` : value;
}

/** A number that always has a fraction for the collector, also where it is whole at the moment. */
interface Double {
  readonly doubleValue: number;
}

function milliseconds(value: number | null): Double | null {
  return value === null ? null : { doubleValue: value };
}

/** Plain numbers are whole. One name has one type, because a collector may refuse an attribute that changes its type. */
type Value = string | number | boolean | Double;

function attributes(values: Readonly<Record<string, Value | null>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: otlpValue(value) }],
  );
}

function otlpValue(value: Value): Attribute['value'] {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return { intValue: String(value) }; // 64 bits are a string in the JSON of Protocol Buffers
    default:
      return { ...value };
  }
}

function nanoseconds(wallMs: number): string {
  return String(BigInt(Math.round(wallMs * 1_000)) * 1_000n);
}
