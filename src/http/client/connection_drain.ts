/**
 * Closes client connections, those of the whole process or of a removed listener, without cutting off a request. A
 * connection is closed after it has been quiet for a moment, because a request may be on its way or wait in the
 * kernel's buffer. It counts as open until the client has received what was sent to it.
 */
import type { Clock, Timer } from '../../resilience/clock.ts';
import type { ClientConnection } from './connection.ts';

const LOOK_EVERY_MS = 50;

export class ConnectionDrain {
  readonly #connections: () => Iterable<ClientConnection>;
  readonly #clock: Clock;
  #timer: Timer | null = null;

  constructor(connections: () => Iterable<ClientConnection>, clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
  }

  /** Continues until no connection is left, or until `stop`. */
  begin(): void {
    if (this.#timer === null) this.#look();
  }

  stop(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    for (const connection of this.#connections()) connection.drain(nowMs);
    this.#timer = this.#clock.setTimer(() => this.#look(), LOOK_EVERY_MS, undefined);
  }
}
