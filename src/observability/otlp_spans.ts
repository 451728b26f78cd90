/**
 * Converts a finished request to spans: one SERVER span, and one CLIENT span per attempt. JSON of OTLP 1.x, with the
 * stable attributes of the OpenTelemetry semantic conventions for HTTP.
 */
import { FAILURE_RULES } from '../resilience/failure.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';
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
  const { host } = record;
  const question = path.indexOf('?');
  const isError =
    record.status >= 500 || (record.reason !== null && FAILURE_RULES[record.reason].blame !== 'client');
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(trace.parentId === null ? {} : { parentSpanId: trace.parentId }),
    name: record.route === null ? record.method : `${record.method} ${record.route}`,
    kind: SERVER,
    startTimeUnixNano: toWall(record.startedAtMs),
    endTimeUnixNano: toWall(record.endedAtMs),
    attributes: attributes({
      'http.request.method': record.method,
      'url.scheme': record.tls === null ? 'http' : 'https',
      'url.path': question < 0 ? path : path.slice(0, question),
      'url.query': question < 0 ? null : path.slice(question + 1),
      'http.route': record.route,
      'http.response.status_code': record.status,
      'server.address': host.replace(/:\d+$/, ''),
      'server.port': Number(/:(\d+)$/.exec(host)?.[1]) || null,
      'client.address': record.clientIp,
      'network.peer.address': record.peerIp,
      'network.protocol.version': record.protocol.slice('HTTP/'.length),
      'user_agent.original': record.userAgent,
      'error.type': isError ? (record.reason ?? String(record.status)) : null,
      'fairlead.request_id': record.requestId,
      'fairlead.cluster': record.cluster,
      'fairlead.queue_ms': record.queueMs,
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
  const colon = endpoint.lastIndexOf(':');
  const isError = reason !== null || (status ?? 0) >= 400;
  return {
    traceId: trace.traceId,
    spanId: attempt.spanId ?? '',
    parentSpanId: trace.spanId,
    name: record.method,
    kind: CLIENT,
    startTimeUnixNano: toWall(attempt.startedAtMs),
    endTimeUnixNano: toWall(attempt.endedAtMs ?? record.endedAtMs),
    attributes: attributes({
      'http.request.method': record.method,
      'http.response.status_code': status,
      'http.request.resend_count': at === 0 ? null : at,
      'server.address': endpoint.slice(0, colon),
      'server.port': Number(endpoint.slice(colon + 1)) || null,
      'error.type': isError ? (reason ?? String(status)) : null,
      'fairlead.cluster': record.cluster,
      'fairlead.reused': reused,
      'fairlead.connect_ms': connectMs,
    }),
    status: isError ? { code: STATUS_ERROR } : {},
  };
}

function attributes(values: Readonly<Record<string, string | number | boolean | null>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: otlpValue(value) }],
  );
}

function otlpValue(value: string | number | boolean): Attribute['value'] {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanoseconds(wallMs: number): string {
  return String(BigInt(Math.round(wallMs * 1_000)) * 1_000n);
}
