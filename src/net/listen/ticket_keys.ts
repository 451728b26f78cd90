/**
 * The key of the session tickets of one listener (RFC 5077 section 4, RFC 8446 section 4.6.1). Its own key is replaced at an
 * interval and survives reloads; a shared key comes from a file and is replaced there. A client whose ticket has an older
 * key gets a full handshake.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../resilience/clock.ts';
import { TICKET_KEY_BYTES, type TicketSettings } from '../tls.ts';

export class TicketKeys {
  readonly #clock: Clock;
  #own: Buffer = randomBytes(TICKET_KEY_BYTES);
  #madeAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#madeAtMs = clock.nowMs();
  }

  /** The key to use now; null: no tickets. The same buffer as before if nothing has changed. */
  current(settings: TicketSettings | null): Buffer | null {
    if (settings === null) return null;
    if (settings.ticketKey !== null) return Buffer.from(settings.ticketKey, 'base64');
    if (this.isDue(settings)) {
      this.#own = randomBytes(TICKET_KEY_BYTES);
      this.#madeAtMs = this.#clock.nowMs();
    }
    return this.#own;
  }

  /** Whether its own key is due to be replaced. */
  isDue(settings: TicketSettings | null): boolean {
    return (
      settings !== null &&
      settings.ticketKey === null &&
      this.#clock.nowMs() - this.#madeAtMs >= settings.rotateMs
    );
  }
}
