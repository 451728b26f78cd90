/**
 * Statistics of the last minute: number of requests, share of failures, durations. One object per route, endpoint, or for
 * the whole process. Memory is fixed (2 KiB), allocated with the first request; a request only adds numbers.
 *
 * Durations are counted in buckets that grow by a fifth: a percentile is off by at most 10 %.
 */
const SECONDS = 60;
const WINDOWS = 6;
const WINDOW_MS = (SECONDS / WINDOWS) * 1_000;
const BUCKETS = 72;
/** 0.1 ms, then a fifth more each; the last bucket begins at 42 s. */
const FIRST_MS = 0.1;
const GROWTH_LOG = Math.log(1.2);
/** The rate is averaged over this many seconds. */
const RATE_SECONDS = 10;

export interface StatsSummary {
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

  /** The summary of several as if one had recorded all of their requests: percentiles cannot be added up afterwards. */
  static summaryOf(all: readonly TrafficStats[], nowMs: number): StatsSummary {
    const counts = new Float64Array(BUCKETS);
    let [total, failed, retried, lately] = [0, 0, 0, 0];
    for (const one of all) {
      if (one.#requests === null) continue;
      one.#moveOn(nowMs);
      total += sum(one.#requests);
      failed += sum(one.#failures);
      retried += sum(one.#retried);
      lately += one.#lately(one.#requests);
      for (const [at, count] of one.#durations.entries())
        counts[at % BUCKETS] = (counts[at % BUCKETS] ?? 0) + count;
    }
    if (total === 0) return NOTHING;
    return {
      perSecond: lately / RATE_SECONDS,
      failureShare: failed / total,
      retried,
      p50Ms: quantile(counts, 0.5),
      p95Ms: quantile(counts, 0.95),
      p99Ms: quantile(counts, 0.99),
    };
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

function bucketOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(ms / FIRST_MS) / GROWTH_LOG));
}

/** The middle of the bucket on a logarithmic scale. */
function quantile(counts: Float64Array, share: number): number | null {
  const wanted = share * counts.reduce((total, count) => total + count, 0);
  let seen = 0;
  for (const [at, count] of counts.entries()) {
    seen += count;
    if (seen >= wanted && seen > 0) return FIRST_MS * Math.exp(GROWTH_LOG * (at - 0.5));
  }
  return null;
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
