/**
 * Answers that are complete but that the client does not take: a window that stays shut (HTTP/2), a connection that nobody
 * reads. `bodyIdle` holds for them too, or a few bytes would hold a request for ever (CVE-2019-9517). One look at all of
 * them each second, not a timer for each request: nearly every answer is gone in the turn in which it was made.
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ActiveMember, ActiveRequests } from './active_requests.ts';

/** A request that may have been answered. */
export interface PendingResponse extends ActiveMember {
  /** Gives the client up if it has taken nothing for too long. */
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

  /** Ends the responses whose client has stopped reading; called by the timer. */
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
