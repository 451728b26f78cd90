/** The wait before a request is tried again. */
import type { Clock, Timer } from '../resilience/clock.ts';

export class RetryPause {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #startedAtMs: number;

  /** Begins at once; `onOver` is called after `delayMs`, unless it is ended before. */
  constructor(clock: Clock, delayMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#startedAtMs = clock.nowMs();
    this.#timer = clock.setTimer(call, delayMs, onOver);
  }

  /** Also where it has rung. Says how long it was. */
  end(): number {
    this.#clock.cancelTimer(this.#timer);
    return this.#clock.nowMs() - this.#startedAtMs;
  }
}

function call(onOver: () => void): void {
  onOver();
}
