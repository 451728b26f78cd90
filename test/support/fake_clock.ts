/** A clock that a test moves by hand. Timers fire in the order of their due time, then of their creation. */
import type { Clock, Timer } from '../../src/resilience/clock.ts';

interface Pending {
  readonly dueAtMs: number;
  readonly order: number;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 1_000;
  #created = 0;
  readonly #pending = new Set<Pending>();
  /** A binary heap by `isSooner`, with those that were cancelled still in it: a simulation has thousands. */
  readonly #heap: Pending[] = [];

  /** Timers that wait: a leak check reads it. */
  get pendingTimers(): number {
    return this.#pending.size;
  }
  nowMs(): number {
    return this.#nowMs;
  }
  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }
  setTimer<T>(callback: (argument: T) => void, delayMs: number, argument: T): Timer {
    const pending = {
      dueAtMs: this.#nowMs + delayMs,
      order: this.#created++,
      fire: () => callback(argument),
    };
    this.#pending.add(pending);
    this.#push(pending);
    return pending as unknown as Timer;
  }
  cancelTimer(timer: Timer | null): void {
    if (timer !== null) this.#pending.delete(timer as unknown as Pending);
  }
  /** Moves time forward; timers that fall due fire at their own time, also those that others set meanwhile. */
  advance(byMs: number): void {
    const endsAtMs = this.#nowMs + byMs;
    for (let next = this.#nextUntil(endsAtMs); next !== undefined; next = this.#nextUntil(endsAtMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.fire();
    }
    this.#nowMs = endsAtMs;
  }
  /** Time passes and nothing fires: something holds up the event loop. */
  stall(byMs: number): void {
    this.#nowMs += byMs;
  }
  #nextUntil(endsAtMs: number): Pending | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || (this.#pending.has(first) && first.dueAtMs > endsAtMs)) return undefined;
      this.#pop();
      if (this.#pending.has(first)) return first;
    }
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let at = heap.push(pending) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Pending;
      if (!isSooner(pending, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = pending;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let child = heap[left];
      let place = left;
      const other = heap[right];
      if (other !== undefined && child !== undefined && isSooner(other, child))
        [child, place] = [other, right];
      if (child === undefined || !isSooner(child, last)) break;
      heap[at] = child;
      at = place;
    }
    heap[at] = last;
  }
}

function isSooner(one: Pending, other: Pending): boolean {
  return one.dueAtMs < other.dueAtMs || (one.dueAtMs === other.dueAtMs && one.order < other.order);
}
