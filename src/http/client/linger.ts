/**
 * Reads and discards what still arrives after a response that was sent before the end of an upload. Closing at once
 * would send a reset, and the reset may destroy the response on its way (RFC 9112 section 9.6; some HTTP/2 clients
 * drop a response whose stream is reset in the same packet). It continues while bytes arrive, up to a limit. nginx
 * calls it lingering_close.
 */
import type { Clock, Timer } from '../../resilience/clock.ts';

/** Without a byte for this long, the client has stopped sending. */
const IDLE_MS = 2_000;
const LINGER_MS_MAX = 30_000;

export class Linger {
  readonly #clock: Clock;
  readonly #bytesRead: () => number;
  readonly #end: () => void;
  readonly #deadlineAtMs: number;
  #bytes: number;
  #timer: Timer;

  /** `end` is called once, unless `stop` is called earlier. */
  constructor(clock: Clock, bytesRead: () => number, end: () => void) {
    this.#clock = clock;
    this.#bytesRead = bytesRead;
    this.#end = end;
    this.#deadlineAtMs = clock.nowMs() + LINGER_MS_MAX;
    this.#bytes = bytesRead();
    this.#timer = clock.setTimer(look, IDLE_MS, this as Linger);
  }

  stop(): void {
    this.#clock.cancelTimer(this.#timer);
  }

  look(): void {
    const bytes = this.#bytesRead();
    if (bytes === this.#bytes || this.#clock.nowMs() + IDLE_MS > this.#deadlineAtMs) {
      this.#end();
      return;
    }
    this.#bytes = bytes;
    this.#timer = this.#clock.setTimer(look, IDLE_MS, this as Linger);
  }
}

function look(linger: Linger): void {
  linger.look();
}
