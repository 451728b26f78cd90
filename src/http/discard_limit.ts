/**
 * How far a response that is not for the client is read. Reading it to its end keeps the connection; a response that is too
 * long or too slow costs the connection instead. Both limits matter: the request that it belonged to may last for hours.
 */
import type { Clock, Timer } from '../resilience/clock.ts';

const BYTES_MAX = 64 * 1024;
const MS_MAX = 1_000;

export class DiscardLimit {
  readonly #clock: Clock;
  readonly #onReached: () => void;
  readonly #timer: Timer;
  #bytes = 0;

  /** The time starts now. `onReached` is called when either limit is reached; call `stop` to hear no more. */
  constructor(clock: Clock, onReached: () => void) {
    this.#clock = clock;
    this.#onReached = onReached;
    this.#timer = clock.setTimer(call, MS_MAX, onReached);
  }

  countBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > BYTES_MAX) this.#onReached();
  }

  stop(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function call(onReached: () => void): void {
  onReached();
}
