/**
 * Retries of a cluster are at most a share of its requests plus a few a second, so that a failing cluster is
 * never made worse by its own proxy.
 *
 * A leaky bucket of allowance: a request puts in `ratio`, a retry takes out 1, time puts in `perSecondMin`; what
 * is not used within 10 s is lost, because the bucket holds no more than that (Finagle and Linkerd: RetryBudget).
 */
import type { Clock } from './clock.ts';

/** Retries of a cluster are at most `ratio` of its requests plus `perSecondMin` a second. */
export interface RetryBudgetSettings {
  readonly ratio: number; // 0 to 1
  readonly perSecondMin: number; // at least 0
}

const WINDOW_MS = 10_000;

export class RetryBudget {
  readonly #settings: RetryBudgetSettings;
  readonly #clock: Clock;
  #fromRequests = 0;
  #fromTime: number;
  #atMs: number;

  constructor(settings: RetryBudgetSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#fromTime = settings.perSecondMin;
    this.#atMs = clock.nowMs();
  }

  /** Retries that may be made now. */
  get remaining(): number {
    this.#pass();
    return Math.floor(this.#fromRequests + this.#fromTime);
  }

  /** A request has come in. */
  deposit(): void {
    this.#pass();
    this.#fromRequests += this.#settings.ratio;
  }

  /** Takes the allowance for one retry, if there is one. */
  withdraw(): boolean {
    this.#pass();
    if (this.#fromTime >= 1) this.#fromTime--;
    else if (this.#fromRequests + this.#fromTime >= 1) {
      this.#fromRequests -= 1 - this.#fromTime;
      this.#fromTime = 0;
    } else return false;
    return true;
  }

  /** What requests have put in decays over the window; what time puts in is worth one second at most. */
  #pass(): void {
    const nowMs = this.#clock.nowMs();
    const passedMs = nowMs - this.#atMs;
    if (passedMs <= 0) return;
    this.#atMs = nowMs;
    this.#fromRequests *= Math.max(0, 1 - passedMs / WINDOW_MS);
    this.#fromTime = Math.min(
      this.#settings.perSecondMin,
      this.#fromTime + (this.#settings.perSecondMin * passedMs) / 1_000,
    );
  }

  dispose(): void {}
}
