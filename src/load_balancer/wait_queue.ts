/**
 * Requests that wait for a backend, in the order of arrival. First attempts and repeated ones stand in two rows: a
 * first attempt takes any backend, a repeated one may be waiting for another than the one that came free. So the
 * work for one free connection is bounded, and no first attempt ever stands behind somebody who declines.
 */
interface Waiter {
  /** Empty: a first attempt. Does not change while it waits. */
  readonly tried: readonly unknown[];
}

/** So many repeated attempts are offered one free connection; those behind them are offered the next one. */
const OFFERS_MAX = 8;

export class WaitQueue<W extends Waiter> {
  /** Waiting requests, each with the time at which its wait began. */
  readonly #first = new Map<W, number>();
  readonly #repeated = new Map<W, number>();

  get size(): number {
    return this.#first.size + this.#repeated.size;
  }
  get hasFirstAttempts(): boolean {
    return this.#first.size > 0;
  }
  /** When the one that waits longest began to wait; infinity when nobody waits. */
  get oldestQueuedAtMs(): number {
    return Math.min(head(this.#first)?.[1] ?? NEVER, head(this.#repeated)?.[1] ?? NEVER);
  }

  add(waiter: W, nowMs: number): void {
    const row = waiter.tried.length === 0 ? this.#first : this.#repeated;
    row.set(waiter, nowMs);
  }

  /** Since when it has waited, or null if it does not. */
  remove(waiter: W): number | null {
    for (const row of [this.#first, this.#repeated]) {
      const queuedAtMs = row.get(waiter);
      if (row.delete(waiter)) return queuedAtMs ?? null;
    }
    return null;
  }

  /** Whose turn it is; `takes` is asked for repeated attempts only. */
  next(takes: (waiter: W) => boolean): W | null {
    const first = head(this.#first);
    let offers = 0;
    for (const [waiter, queuedAtMs] of this.#repeated) {
      // Of two that came at the same time the repeated one belongs to the older request.
      if (offers++ === OFFERS_MAX || queuedAtMs > (first?.[1] ?? NEVER)) break;
      if (takes(waiter)) return waiter;
    }
    return first?.[0] ?? null;
  }

  /** The ones that began to wait before this time, with when they began, oldest first; they are taken out. */
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
