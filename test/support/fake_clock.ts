/** A clock that a test moves by hand. Timers fire in the order of their due time, then of their creation. */
import type { Clock, Timer } from '../../src/resilience/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 1_000;
  #created = 0;
  readonly #pending = new Set<Pending>();

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
    const pending = { dueMs: this.#nowMs + delayMs, order: this.#created++, fire: () => callback(argument) };
    this.#pending.add(pending);
    return pending as unknown as Timer;
  }
  cancelTimer(timer: Timer | null): void {
    if (timer !== null) this.#pending.delete(timer as unknown as Pending);
  }
  /** Moves time forward; timers that fall due fire at their own time, also those that others set meanwhile. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let next = this.#nextUntil(untilMs); next !== undefined; next = this.#nextUntil(untilMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
    }
    this.#nowMs = untilMs;
  }
  /** Time passes and nothing fires: something holds up the event loop. */
  stall(byMs: number): void {
    this.#nowMs += byMs;
  }
  #nextUntil(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > untilMs) continue;
      const earlier = first === undefined || pending.dueMs < first.dueMs;
      if (earlier || (pending.dueMs === first?.dueMs && pending.order < first.order)) first = pending;
    }
    return first;
  }
}
