/** The pause before a request is tried again. */
import type { Clock, Timer } from '../resilience/clock.ts';

export class RetryPause {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #startedAtMs: number;

  /** Starts now. `onOver` is called after `delayMs`, unless the pause is ended earlier. */
  constructor(clock: Clock, delayMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#startedAtMs = clock.nowMs();
    this.#timer = clock.setTimer(call, delayMs, onOver);
  }

  /** Ends the pause, also after it is over, and returns its length in milliseconds. */
  end(): number {
    this.#clock.cancelTimer(this.#timer);
    return this.#clock.nowMs() - this.#startedAtMs;
  }
}

function call(onOver: () => void): void {
  onOver();
}
