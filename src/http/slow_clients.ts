/**
 * Clients that hold a request without doing their part: a complete response that nobody takes (a window that stays shut, a
 * connection that nobody reads), a body or a download below the minimum rate. One byte now and then would hold a request
 * for ever (CVE-2019-9517, Slowloris). One look at all requests each second, not a timer for each request: nearly every one
 * is over in the turn in which it began.
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ActiveMember, ActiveRequests } from './active_requests.ts';

/** A request whose end is still to come. */
export interface WatchedRequest extends ActiveMember {
  /** Gives the client up if it is too slow. */
  lookAtClient(nowMs: number): void;
}

const LOOK_EVERY_MS = 1_000;

export class SlowClients {
  readonly #active: ActiveRequests<WatchedRequest>;
  readonly #clock: Clock;
  #timer: Timer;

  constructor(active: ActiveRequests<WatchedRequest>, clock: Clock) {
    this.#active = active;
    this.#clock = clock;
    this.#timer = clock.setTimer(look, LOOK_EVERY_MS, this as SlowClients);
  }

  /** Ends the requests whose client is too slow; called by the timer. */
  look(): void {
    this.#timer = this.#clock.setTimer(look, LOOK_EVERY_MS, this as SlowClients);
    const nowMs = this.#clock.nowMs();
    for (const request of this.#active.list()) request.lookAtClient(nowMs);
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function look(clients: SlowClients): void {
  clients.look();
}
