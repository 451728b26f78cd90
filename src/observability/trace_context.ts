/** The W3C trace context of a request (Recommendation of 2021-11-23, section 3.2). */

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Id of the proxy's own span: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Parent span of the request; null: the trace started here. */
  readonly parentId: string | null;
  readonly sampled: boolean;
}

interface TraceParent {
  readonly traceId: string;
  readonly parentId: string;
  readonly sampled: boolean;
}

/** Later versions may have more after the flags; `ff` is invalid. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Null if it is absent or invalid: a new trace is started then (section 3.2.2). */
export function parseTraceparent(text: string | null): TraceParent | null {
  const [, version, traceId = '', parentId = '', flags = '', more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function formatTraceparent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/**
 * The id of a trace that starts here: the request id without its dashes, so that either can be found by the other.
 * The last 7 bytes of a UUID version 7 are random, as the recommendation asks.
 */
export function traceIdOf(requestId: string): string {
  return requestId.replaceAll('-', '');
}

/**
 * `traceparent` of a trace that starts here and is not recorded here. It is marked as sampled, so that a backend that
 * follows its parent (the default of OpenTelemetry) still records everything that it recorded without a proxy.
 */
export function begunTraceparent(traceId: string): string {
  return formatTraceparent(traceId, traceId.slice(16), true);
}

/**
 * Joins the trace of the client, or starts one with this id. For a joined trace its origin has decided whether it is
 * recorded; for a new one the id decides, so that every process decides the same.
 */
export function joinTrace(
  parent: TraceParent | null,
  sample: number,
  begunId: string,
  spanId: string,
): TraceContext {
  if (parent !== null) return { ...parent, spanId };
  return { traceId: begunId, spanId, parentId: null, sampled: isSampled(begunId, sample) };
}

/** Decides by the last 32 bits of the id (OpenTelemetry, TraceIdRatioBased). */
function isSampled(traceId: string, sample: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < sample * 2 ** 32;
}

/**
 * Replaces `traceparent`. If the trace starts here, a `tracestate` belongs to a trace that could not be read, and is
 * removed (section 4.3).
 */
export function withTraceparent(
  headers: readonly string[],
  traceparent: string,
  beginsHere: boolean,
): string[] {
  const list: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (isNamed(name, 'traceparent') || (beginsHere && isNamed(name, 'tracestate'))) continue;
    list.push(name, headers[at + 1] as string);
  }
  list.push('traceparent', traceparent);
  return list;
}

function isNamed(name: string, lowerCase: string): boolean {
  return name.length === lowerCase.length && name.toLowerCase() === lowerCase;
}
