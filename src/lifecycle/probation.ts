/**
 * The time after a reload in which too many failures undo it: a configuration can be valid and wrong. Only what ends
 * after the swap counts, and only if there is enough of it.
 */
import type { ProbationSettings } from '../config/plan.ts';
import type { Clock, Timer } from '../resilience/clock.ts';

/** Requests that have ended since the process began, and those of them that failed. */
export interface TrafficCounts {
  readonly finished: number;
  readonly failed: number;
}

const LOOK_EVERY_MS = 200;

export class Probation {
  readonly #counts: TrafficCounts;
  readonly #clock: Clock;
  readonly #onFailed: (why: string) => void;
  #timer: Timer | null = null;

  constructor(counts: TrafficCounts, clock: Clock, onFailed: (why: string) => void) {
    this.#counts = counts;
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** Ends the one before, which is over with its plan. */
  begin(settings: ProbationSettings | null): void {
    this.end();
    if (settings === null) return;
    const { finished, failed } = this.#counts;
    this.#look(settings, { finished, failed }, this.#clock.nowMs() + settings.windowMs);
  }

  end(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }

  #look(settings: ProbationSettings, before: TrafficCounts, untilMs: number): void {
    this.#timer = null;
    const requests = this.#counts.finished - before.finished;
    const failures = this.#counts.failed - before.failed;
    if (requests >= settings.requestsMin && failures / requests > settings.failureRatioMax) {
      this.#onFailed(`${failures} of ${requests} requests failed after the reload`);
    } else if (this.#clock.nowMs() < untilMs) {
      const again = () => this.#look(settings, before, untilMs);
      this.#timer = this.#clock.setTimer(lookAgain, LOOK_EVERY_MS, again);
    }
  }
}

function lookAgain(look: () => void): void {
  look();
}
