/**
 * How long one endpoint takes to the first byte of its responses: in the last minute, and usually. That tells an endpoint
 * that has become slow from one that always was. The time to the first byte is that of the backend alone; the whole duration
 * would also contain clients that read slowly, downloads and streams.
 *
 *   last minute  p95 of six windows of ten seconds
 *   usual        upper quartile of the p95 of each minute of the last hour that had enough requests and was not slow itself;
 *                unknown before five such minutes
 *
 * The upper quartile, because the p95 of few requests jumps when one request in twenty is slow by nature. A slow minute does
 * not become the usual one, so an endpoint that stays slow is told for an hour; then that is what is usual.
 * Memory is fixed (2 KiB), allocated with the first request; a request adds one number.
 */
import { BUCKETS, bucketOf, quantile } from './duration_buckets.ts';

const WINDOWS = 6;
const WINDOW_MS = 10_000;
const MINUTES = 60;
/** Minutes that must be known before there is a usual latency. */
const MINUTES_MIN = 5;
const USUAL_QUARTILE = 0.75;

/** Slow is three times what is expected, but nobody feels less than 100 ms, and the p95 of fewer than 20 requests is one of them. */
export const SLOW = { factor: 3, msMin: 100, requestsMin: 20 } as const;

export interface LatencySummary {
  /** Requests of the last minute that have got a response. */
  readonly requests: number;
  /** Null: no request. */
  readonly p95Ms: number | null;
  /** Null: not known yet. */
  readonly usualMs: number | null;
}

const NO_LATENCY: LatencySummary = { requests: 0, p95Ms: null, usualMs: null };

/** Whether a p95 is slow where `expectedMs` is expected. */
export function isSlow({ requests, p95Ms }: LatencySummary, expectedMs: number | null): boolean {
  if (p95Ms === null || expectedMs === null || requests < SLOW.requestsMin) return false;
  return p95Ms >= SLOW.msMin && p95Ms >= SLOW.factor * expectedMs;
}

export class LatencyHistory {
  #counts: Uint32Array | null = null;
  #window = 0;
  /** p95 of each minute, by its number; 0: too few requests, or slow. */
  readonly #minutes = new Float32Array(MINUTES);
  #usualMs: number | null = null;

  record(firstByteMs: number, nowMs: number): void {
    const counts = this.#moveOn(nowMs);
    const at = (this.#window % WINDOWS) * BUCKETS + bucketOf(firstByteMs);
    counts[at] = (counts[at] ?? 0) + 1;
  }

  summary(nowMs: number): LatencySummary {
    if (this.#counts === null) return NO_LATENCY;
    return summaryOf(this.#moveOn(nowMs), this.#usualMs);
  }

  #moveOn(nowMs: number): Uint32Array {
    const window = Math.floor(nowMs / WINDOW_MS);
    if (this.#counts === null) {
      this.#counts = new Uint32Array(WINDOWS * BUCKETS);
      this.#window = window;
    }
    if (window <= this.#window) return this.#counts;
    if (minuteOf(window) > minuteOf(this.#window)) this.#endMinute(this.#counts, minuteOf(window));
    for (let at = Math.max(this.#window + 1, window - WINDOWS + 1); at <= window; at++)
      this.#counts.fill(0, (at % WINDOWS) * BUCKETS, (at % WINDOWS) * BUCKETS + BUCKETS);
    this.#window = window;
    return this.#counts;
  }

  /** A minute has the windows from the beginning of the ring to the newest one; behind that are those of the minute before. */
  #endMinute(counts: Uint32Array, next: number): void {
    const ended = minuteOf(this.#window);
    const known = summaryOf(counts.subarray(0, ((this.#window % WINDOWS) + 1) * BUCKETS), this.#usualMs);
    const counted = known.requests >= SLOW.requestsMin && !isSlow(known, known.usualMs);
    this.#minutes[ended % MINUTES] = counted ? (known.p95Ms ?? 0) : 0;
    for (let minute = Math.max(ended + 1, next - MINUTES + 1); minute <= next; minute++)
      this.#minutes[minute % MINUTES] = 0;
    const sorted = this.#minutes.filter(ms => ms > 0).sort();
    this.#usualMs =
      sorted.length < MINUTES_MIN ? null : (sorted[Math.floor(sorted.length * USUAL_QUARTILE)] ?? null);
  }
}

function minuteOf(window: number): number {
  return Math.floor(window / WINDOWS);
}

function summaryOf(windows: Uint32Array, usualMs: number | null): LatencySummary {
  const counts = new Float64Array(BUCKETS);
  let requests = 0;
  for (const [at, count] of windows.entries()) {
    requests += count;
    counts[at % BUCKETS] = (counts[at % BUCKETS] ?? 0) + count;
  }
  return { requests, p95Ms: quantile(counts, 0.95), usualMs };
}
