/**
 * Requests that wait for a backend, in order of arrival. First and repeated attempts have separate queues: a first
 * attempt takes any backend, a repeated one may wait for another backend than the one that came free. So the work for
 * one free connection is bounded, and no first attempt waits behind a request that declines.
 */
interface Waiter {
  /** Empty for a first attempt. Does not change while the request waits. */
  readonly tried: readonly unknown[];
}

/** A free connection is offered to this many repeated attempts; the ones after them get the next offer. */
const OFFERS_MAX = 8;

export class WaitQueue<W extends Waiter> {
  /** Waiting requests, with the time at which they were queued. */
  readonly #first = new Map<W, number>();
  readonly #repeated = new Map<W, number>();

  get size(): number {
    return this.#first.size + this.#repeated.size;
  }
  get hasFirstAttempts(): boolean {
    return this.#first.size > 0;
  }
  /** When the oldest request was queued; infinity if none waits. */
  get oldestQueuedAtMs(): number {
    return Math.min(head(this.#first)?.[1] ?? NEVER, head(this.#repeated)?.[1] ?? NEVER);
  }

  add(waiter: W, nowMs: number): void {
    const row = waiter.tried.length === 0 ? this.#first : this.#repeated;
    row.set(waiter, nowMs);
  }

  /** Removes a request and returns when it was queued; null if it is not in the queue. */
  remove(waiter: W): number | null {
    for (const row of [this.#first, this.#repeated]) {
      const queuedAtMs = row.get(waiter);
      if (row.delete(waiter)) return queuedAtMs ?? null;
    }
    return null;
  }

  /** The next request to serve; `takes` is asked for repeated attempts only. */
  next(takes: (waiter: W) => boolean): W | null {
    const first = head(this.#first);
    let offers = 0;
    for (const [waiter, queuedAtMs] of this.#repeated) {
      // Of two requests that were queued at the same time, the repeated one is older.
      if (offers++ === OFFERS_MAX || queuedAtMs > (first?.[1] ?? NEVER)) break;
      if (takes(waiter)) return waiter;
    }
    return first?.[0] ?? null;
  }

  /** Removes and returns the requests queued before this time, oldest first, with the time at which they were queued. */
  takeBefore(beforeAtMs: number): [waiter: W, queuedAtMs: number][] {
    const taken: [W, number][] = [];
    for (const row of [this.#repeated, this.#first]) {
      for (const entry of row) {
        if (entry[1] >= beforeAtMs) break;
        taken.push(entry);
        row.delete(entry[0]);
      }
    }
    return taken.sort((a, b) => a[1] - b[1]);
  }
}

const NEVER = Number.POSITIVE_INFINITY;

function head<W>(row: ReadonlyMap<W, number>): [W, number] | null {
  for (const entry of row) return entry;
  return null;
}
