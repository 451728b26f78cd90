/**
 * Counts events of about the last minute, each by what it is about and by its cause. Memory is fixed for each pair, and pairs come
 * from the configuration and from tables of causes only. A pair is forgotten when another one is added and nothing of it is
 * recent, because it may be about something that a reload has removed.
 * Times are monotonic milliseconds of `Clock.nowMs()`.
 */
import { SlidingCount } from './sliding_count.ts';

const BUCKET_MS = 10_000;
const BUCKETS = 6;

export interface RecentCount<Cause extends string = string> {
  /** A name of the configuration without spaces, such as that of a listener. */
  readonly about: string;
  readonly cause: Cause;
  /** More than 0. */
  readonly count: number;
}

interface Entry<Cause extends string> {
  readonly about: string;
  readonly cause: Cause;
  readonly recent: SlidingCount;
}

export class RecentCounts<Cause extends string = string> {
  readonly #entries = new Map<string, Entry<Cause>>();

  add(about: string, cause: Cause, nowMs: number, count = 1): void {
    const key = `${cause} ${about}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#forget(nowMs);
      entry = { about, cause, recent: new SlidingCount(BUCKET_MS, BUCKETS) };
      this.#entries.set(key, entry);
    }
    entry.recent.add(nowMs, count);
  }

  /** In the order in which they were first counted. */
  list(nowMs: number): RecentCount<Cause>[] {
    return [...this.#entries.values()]
      .map(({ about, cause, recent }) => ({ about, cause, count: recent.total(nowMs) }))
      .filter(({ count }) => count > 0);
  }

  #forget(nowMs: number): void {
    for (const [key, { recent }] of this.#entries) if (recent.total(nowMs) === 0) this.#entries.delete(key);
  }
}
