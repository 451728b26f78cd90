/**
 * After an answer that came before the end of an upload, what still arrives is read and thrown away: closing at once would
 * send a reset, and the reset may take the answer with it (RFC 9112 section 9.6; with HTTP/2 some clients drop an answer whose
 * stream is reset in the same packet). It goes on while bytes come, and not for ever. (nginx: lingering_close.)
 */
import type { Clock, Timer } from '../../resilience/clock.ts';

/** Without a byte for so long, the client has stopped. */
const IDLE_MS = 2_000;
const LINGER_MS_MAX = 30_000;

export class Linger {
  readonly #clock: Clock;
  readonly #bytesRead: () => number;
  readonly #end: () => void;
  readonly #deadlineAtMs: number;
  #bytes: number;
  #timer: Timer;

  /** `end` is called once, unless `stop` is called before. */
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
