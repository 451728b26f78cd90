/**
 * Finds complete responses that the client does not read: a flow-control window that stays closed (HTTP/2), or a
 * connection that nobody reads. `bodyIdle` applies to them too, otherwise a few bytes would hold a request for ever
 * (CVE-2019-9517). All are checked once a second instead of with a timer each, because nearly every response is gone
 * in the turn in which it was made.
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ActiveMember, ActiveRequests } from './active_requests.ts';

/** A request that may have a complete response. */
export interface PendingResponse extends ActiveMember {
  /** Cuts the response if the client has read nothing for too long. */
  checkTaken(nowMs: number): void;
}

const LOOK_EVERY_MS = 1_000;

export class StalledResponses {
  readonly #active: ActiveRequests<PendingResponse>;
  readonly #clock: Clock;
  #timer: Timer;

  constructor(active: ActiveRequests<PendingResponse>, clock: Clock) {
    this.#active = active;
    this.#clock = clock;
    this.#timer = clock.setTimer(look, LOOK_EVERY_MS, this as StalledResponses);
  }

  /** Checks every response; called by the timer. */
  look(): void {
    this.#timer = this.#clock.setTimer(look, LOOK_EVERY_MS, this as StalledResponses);
    const nowMs = this.#clock.nowMs();
    for (const request of this.#active.list()) request.checkTaken(nowMs);
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function look(stalled: StalledResponses): void {
  stalled.look();
}
