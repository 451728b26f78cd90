/**
 * Limits the retries of a cluster to a share of its requests plus a few a second, so that the proxy never makes a failing
 * cluster worse.
 *
 * A retry is paid for by one of two allowances (after the retry budget of Finagle and Linkerd: share, reserve, 10 s time to
 * live), and must also be within the bound of both together:
 * - the share: a ratio of the requests of the last 10 s, minus the retries that it has paid for in the last 10 s. A leaky
 *   bucket would let through twice the share when everything fails at once;
 * - the reserve, for clusters with few requests: a bucket that holds the allowance of one second.
 *
 * Requests are forgotten a little early and retries a little late, so that in the ten seconds before any retry there are
 * never more than `ratio * requests + 10 * perSecondMin`. There are no errors: a refusal is a value. No timers; each call is
 * O(1).
 */
import type { Clock } from './clock.ts';
import { SlidingCount } from './sliding_count.ts';

/** Retries of a cluster are at most `ratio` of its requests plus `perSecondMin` a second. */
export interface RetryBudgetSettings {
  readonly ratio: number; // 0 to 1
  readonly perSecondMin: number; // at least 0
}

const SECONDS = 10;

export class RetryBudget {
  readonly #settings: RetryBudgetSettings;
  readonly #clock: Clock;
  readonly #requests = new SlidingCount(1_000, SECONDS);
  readonly #retries = new SlidingCount(1_000, SECONDS + 1);
  /** The retries that the share has paid for. */
  readonly #byShare = new SlidingCount(1_000, SECONDS + 1);
  #reserve: number;
  #reserveAtMs: number;

  constructor(settings: RetryBudgetSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#reserve = settings.perSecondMin; // a backend may be down when the proxy starts
    this.#reserveAtMs = clock.nowMs();
  }

  /** Number of retries that may be made now. */
  get remaining(): number {
    const nowMs = this.#clock.nowMs();
    this.#refill(nowMs);
    const paid = Math.floor(this.#reserve) + Math.floor(Math.max(0, this.#shareLeft(nowMs)));
    return Math.max(0, Math.min(paid, Math.floor(this.#boundLeft(nowMs))));
  }

  /** Counts one request. */
  deposit(): void {
    this.#requests.add(this.#clock.nowMs());
  }

  /** Takes the allowance for one retry; false if there is none. */
  withdraw(): boolean {
    const nowMs = this.#clock.nowMs();
    this.#refill(nowMs);
    if (this.#boundLeft(nowMs) < 1) return false;
    if (this.#reserve >= 1) this.#reserve--;
    else if (this.#shareLeft(nowMs) >= 1) this.#byShare.add(nowMs);
    else return false;
    this.#retries.add(nowMs);
    return true;
  }

  #boundLeft(nowMs: number): number {
    const { ratio, perSecondMin } = this.#settings;
    return ratio * this.#requests.total(nowMs) + SECONDS * perSecondMin - this.#retries.total(nowMs);
  }

  #shareLeft(nowMs: number): number {
    return this.#settings.ratio * this.#requests.total(nowMs) - this.#byShare.total(nowMs);
  }

  #refill(nowMs: number): void {
    const { perSecondMin } = this.#settings;
    const gained = (perSecondMin * (nowMs - this.#reserveAtMs)) / 1_000;
    this.#reserve = Math.min(perSecondMin, this.#reserve + gained);
    this.#reserveAtMs = nowMs;
  }

  /** For the registry: there is nothing to release. */
  dispose(): void {}
}
