/**
 * The time after a reload in which too many failures undo it: a configuration can be valid and wrong. Only what ends
 * after the swap counts, only if there is enough of it, and only what fails more than it did before: a cluster that was down
 * already is no fault of the new plan.
 */
import type { ProbationSettings } from '../config/plan.ts';
import type { Clock, Timer } from '../resilience/clock.ts';

/** Requests that have ended, since the process began or in some time, and those of them that failed. */
interface TrafficCounts {
  readonly finished: number;
  readonly failed: number;
}

const LOOK_EVERY_MS = 200;
/** Standard deviations: what chance does in two of a hundred looks must not undo a reload. */
const CHANCE = 2;

export class Probation {
  readonly #counts: TrafficCounts;
  readonly #lately: () => TrafficCounts;
  readonly #clock: Clock;
  readonly #onFailed: (why: string) => void;
  #timer: Timer | null = null;

  /** `lately`: of the time before now, to compare with. */
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

  /** Ends the one before, which is over with its plan. */
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
 * Of the requests that did not fail before, more fail now than may: with half of them failing before and a bound of
 * 20 %, that is beyond 60 %. And more than chance explains, which for few requests and a high ratio is a lot.
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
