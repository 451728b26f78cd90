/**
 * Finds clients that hold a request without doing their part: a complete response that they do not read (a flow-control
 * window that stays closed, a connection that nobody reads), or a body or a download below the minimum rate. Otherwise one
 * byte now and then would hold a request for ever (CVE-2019-9517, Slowloris). All are checked once a second instead of with
 * a timer each, because nearly every request is over in the turn in which it began.
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ActiveMember, ActiveRequests } from './active_requests.ts';

/** A request that has not ended. */
export interface WatchedRequest extends ActiveMember {
  /** Ends the request if its client is too slow or costs too much. */
  checkClient(nowMs: number): void;
}

const CHECK_EVERY_MS = 1_000;

export class SlowClients {
  readonly #active: ActiveRequests<WatchedRequest>;
  readonly #clock: Clock;
  #timer: Timer;

  constructor(active: ActiveRequests<WatchedRequest>, clock: Clock) {
    this.#active = active;
    this.#clock = clock;
    this.#timer = clock.setTimer(check, CHECK_EVERY_MS, this as SlowClients);
  }

  /** Checks every request; called by the timer. */
  check(): void {
    this.#timer = this.#clock.setTimer(check, CHECK_EVERY_MS, this as SlowClients);
    const nowMs = this.#clock.nowMs();
    for (const request of this.#active.list()) request.checkClient(nowMs);
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function check(clients: SlowClients): void {
  clients.check();
}
