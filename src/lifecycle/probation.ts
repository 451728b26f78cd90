/**
 * The time after a reload in which too many failures roll it back, because a valid configuration can still be wrong.
 * Only requests that end after the swap count, only if there are enough, and only failures beyond the earlier ratio:
 * a cluster that was down before is no fault of the new plan.
 */
import type { ProbationSettings } from '../config/plan.ts';
import type { Clock, Timer } from '../resilience/clock.ts';

/** Requests that have ended, and those of them that failed. */
interface TrafficCounts {
  readonly finished: number;
  readonly failed: number;
}

const LOOK_EVERY_MS = 200;
/** Standard deviations: a reload must not be rolled back for what chance does in two of a hundred checks. */
const CHANCE = 2;

export class Probation {
  readonly #counts: TrafficCounts;
  readonly #lately: () => TrafficCounts;
  readonly #clock: Clock;
  readonly #onFailed: (why: string) => void;
  #timer: Timer | null = null;

  /** `lately`: the counts of the time before, for comparison. */
  constructor(
    counts: TrafficCounts,
    lately: () => TrafficCounts,
    clock: Clock,
    onFailed: (why: string) => void,
  ) {
    this.#counts = counts;
    this.#lately = lately;
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** Ends the previous probation, which is over with its plan. */
  begin(settings: ProbationSettings | null): void {
    this.end();
    if (settings === null) return;
    const { finished, failed } = this.#counts;
    this.#look(settings, { finished, failed }, this.#lately(), this.#clock.nowMs() + settings.windowMs);
  }

  end(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }

  #look(
    settings: ProbationSettings,
    start: TrafficCounts,
    before: TrafficCounts,
    deadlineAtMs: number,
  ): void {
    this.#timer = null;
    const after = {
      finished: this.#counts.finished - start.finished,
      failed: this.#counts.failed - start.failed,
    };
    if (isWorse(before, after, settings)) {
      const then = before.failed === 0 ? '' : ` (${before.failed} of ${before.finished} before it)`;
      this.#onFailed(`${after.failed} of ${after.finished} requests failed after the reload${then}`);
    } else if (this.#clock.nowMs() < deadlineAtMs) {
      const again = () => this.#look(settings, start, before, deadlineAtMs);
      this.#timer = this.#clock.setTimer(lookAgain, LOOK_EVERY_MS, again);
    }
  }
}

/**
 * True if more of the requests that would not have failed before fail now than is allowed: with half of them failing
 * before and a bound of 20 %, that means beyond 60 %. The excess must also be more than chance explains, which is a
 * lot for few requests and a high ratio.
 */
function isWorse(before: TrafficCounts, after: TrafficCounts, settings: ProbationSettings): boolean {
  if (after.finished < settings.requestsMin) return false;
  const ratio = before.finished === 0 ? 0 : before.failed / before.finished;
  const bound = ratio + (1 - ratio) * settings.failureRatioMax;
  if (after.failed / after.finished <= bound) return false;
  const variance = ratio * (1 - ratio) * after.finished * (1 + after.finished / Math.max(1, before.finished));
  return after.failed > ratio * after.finished + CHANCE * Math.sqrt(variance);
}

function lookAgain(look: () => void): void {
  look();
}
