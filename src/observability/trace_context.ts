/** The W3C trace context of a request (Recommendation of 2021-11-23, section 3.2), and what we make of it. */

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Id of the proxy's own span: 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span of whoever asked; null: the trace began here. */
  readonly parentId: string | null;
  readonly sampled: boolean;
}

interface TraceParent {
  readonly traceId: string;
  readonly parentId: string;
  readonly sampled: boolean;
}

/** Later versions may have more behind the flags; `ff` is none. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Null where it is absent or not valid: the trace begins anew then (section 3.2.2). */
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
 * The id of a trace that begins with a request of ours: that of the request without its dashes, so that whoever has one
 * finds the other. The last 7 bytes of a UUID version 7 are random, as the recommendation wants them to be.
 */
export function traceIdOf(requestId: string): string {
  return requestId.replaceAll('-', '');
}

/**
 * For a trace that begins here and that we do not record ourselves. Marked as sampled: a backend that decides by its
 * parent (the default of OpenTelemetry) goes on recording all that it recorded before there was a proxy.
 */
export function begunTraceparent(traceId: string): string {
  return formatTraceparent(traceId, traceId.slice(16), true);
}

/**
 * Our part in a trace: that of whoever asked goes on, otherwise one begins with this id. Whether it is recorded was
 * decided by who began it; a trace of ours by its id, so that every process decides the same.
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

/** By the last 32 bits of the id (OpenTelemetry, TraceIdRatioBased). */
function isSampled(traceId: string, sample: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < sample * 2 ** 32;
}

/**
 * The list with this `traceparent` and no other. Where the trace begins here, a `tracestate` belongs to one that could
 * not be read, and goes (section 4.3).
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
