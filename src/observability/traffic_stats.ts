/**
 * Statistics of the last minute: number of requests, share of failures, durations. One object per route, endpoint, or for
 * the whole process. Memory is fixed (2 KiB), allocated with the first request; a request only adds numbers.
 */
import { BUCKETS, bucketOf, quantile } from './duration_buckets.ts';

const SECONDS = 60;
const WINDOWS = 6;
const WINDOW_MS = (SECONDS / WINDOWS) * 1_000;
/** The rate is averaged over this many seconds. */
const RATE_SECONDS = 10;

export interface StatsSummary {
  /** Requests that have ended in the last minute. */
  readonly requests: number;
  readonly perSecond: number;
  /** Share of failed requests in the last minute, 0 to 1. */
  readonly failureShare: number;
  /** Attempts of the last minute that were followed by another attempt. */
  readonly retried: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

const NOTHING: StatsSummary = {
  requests: 0,
  perSecond: 0,
  failureShare: 0,
  retried: 0,
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
};

export class TrafficStats {
  #requests: Uint32Array | null = null;
  #failures = new Uint32Array(0);
  #retried = new Uint32Array(0);
  #durations = new Uint32Array(0);
  #second = 0;
  #window = 0;

  record(tookMs: number, failed: boolean, nowMs: number, retried = false): void {
    this.#moveOn(nowMs);
    const requests = this.#requests as Uint32Array;
    const at = this.#second % SECONDS;
    requests[at] = (requests[at] ?? 0) + 1;
    if (failed) this.#failures[at] = (this.#failures[at] ?? 0) + 1;
    if (retried) this.#retried[at] = (this.#retried[at] ?? 0) + 1;
    const place = (this.#window % WINDOWS) * BUCKETS + bucketOf(tookMs);
    this.#durations[place] = (this.#durations[place] ?? 0) + 1;
  }

  summary(nowMs: number): StatsSummary {
    return TrafficStats.summaryOf([this], nowMs);
  }

  /** The statistics of several together, such as of the endpoints of a cluster. */
  static summaryOf(all: readonly TrafficStats[], nowMs: number): StatsSummary {
    const counts = new Float64Array(BUCKETS);
    const totals = { requests: 0, failures: 0, retried: 0, lately: 0 };
    for (const stats of all) stats.#addTo(totals, counts, nowMs);
    const { requests } = totals;
    if (requests === 0) return NOTHING;
    return {
      requests,
      perSecond: totals.lately / RATE_SECONDS,
      failureShare: totals.failures / requests,
      retried: totals.retried,
      p50Ms: quantile(counts, 0.5),
      p95Ms: quantile(counts, 0.95),
      p99Ms: quantile(counts, 0.99),
    };
  }

  #addTo(
    totals: { requests: number; failures: number; retried: number; lately: number },
    counts: Float64Array,
    nowMs: number,
  ): void {
    if (this.#requests === null) return;
    this.#moveOn(nowMs);
    totals.requests += sum(this.#requests);
    totals.failures += sum(this.#failures);
    totals.retried += sum(this.#retried);
    totals.lately += this.#lately(this.#requests);
    for (const [at, count] of this.#durations.entries())
      counts[at % BUCKETS] = (counts[at % BUCKETS] ?? 0) + count;
  }

  /** Requests finished and failed in the last minute. */
  counts(nowMs: number): { readonly finished: number; readonly failed: number } {
    if (this.#requests === null) return { finished: 0, failed: 0 };
    this.#moveOn(nowMs);
    return { finished: sum(this.#requests), failed: sum(this.#failures) };
  }

  /** Only whole seconds count, because the second that has just begun would make every rate look like a drop. */
  #lately(counts: Uint32Array): number {
    let found = 0;
    for (let back = 1; back <= RATE_SECONDS; back++)
      found += counts[(this.#second - back + SECONDS * 2) % SECONDS] ?? 0;
    return found;
  }

  #moveOn(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    const window = Math.floor(nowMs / WINDOW_MS);
    if (this.#requests === null) {
      this.#requests = new Uint32Array(SECONDS);
      this.#failures = new Uint32Array(SECONDS);
      this.#retried = new Uint32Array(SECONDS);
      this.#durations = new Uint32Array(WINDOWS * BUCKETS);
      this.#second = second;
      this.#window = window;
    }
    for (let at = Math.max(this.#second + 1, second - SECONDS + 1); at <= second; at++) {
      this.#requests[at % SECONDS] = 0;
      this.#failures[at % SECONDS] = 0;
      this.#retried[at % SECONDS] = 0;
    }
    for (let at = Math.max(this.#window + 1, window - WINDOWS + 1); at <= window; at++)
      this.#durations.fill(0, (at % WINDOWS) * BUCKETS, (at % WINDOWS) * BUCKETS + BUCKETS);
    this.#second = Math.max(this.#second, second);
    this.#window = Math.max(this.#window, window);
  }
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
