/**
 * Traffic judges endpoints: so many failures in a row, or too large a share of them, eject one for a while. The while grows with each repetition
 * and shrinks again by one for each whole base time spent in rotation (Envoy's outlier detection: base time times
 * number of ejections, capped). Answers of 5xx count as failures; answers of 4xx as successes; clients who leave not
 * at all; nor does what was under way when the endpoint went out of rotation, by ejection or by probes.
 *
 * Times: monotonic milliseconds. The timer is the end of the ejection; a probe may end the first one earlier, but not
 * its repetitions: what requests see then is not what probes see.
 */
import type { Outcome } from '../resilience/circuit_breaker.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import { SlidingCount } from '../resilience/sliding_count.ts';
import type { EndpointHealth } from './state.ts';

/** So large a share of the requests of a window, if there are enough of them. */
export interface FailureShare {
  readonly ratio: number; // above 0, to 1
  readonly requestsMin: number;
  readonly windowMs: number;
}

/** Settings of passive health checks: an endpoint whose requests fail is ejected for a while. */
export interface PassiveHealthSettings {
  readonly consecutiveFailures: number;
  /** Null: the share of failures is not judged. */
  readonly failureShare: FailureShare | null;
  readonly ejectMs: number;
  /** At most this share of a cluster is out at once; one endpoint may always be, if there are two or more. */
  readonly ejectedRatioMax: number;
}

const EJECT_MS_MAX = 300_000;
/** The window moves on by a tenth of itself. */
const BUCKETS = 10;

export class PassiveHealth {
  readonly #settings: PassiveHealthSettings;
  readonly #health: EndpointHealth;
  readonly #clock: Clock;
  readonly #requests: SlidingCount;
  readonly #failed: SlidingCount;
  #failures = 0; // in a row
  #ejections = 0;
  #repeats = 0;
  #ejectionEndsAtMs = 0;
  #timer: Timer | null = null;

  constructor(settings: PassiveHealthSettings, health: EndpointHealth, clock: Clock) {
    this.#settings = settings;
    this.#health = health;
    this.#clock = clock;
    const bucketMs = (settings.failureShare?.windowMs ?? 0) / BUCKETS;
    this.#requests = new SlidingCount(bucketMs, BUCKETS);
    this.#failed = new SlidingCount(bucketMs, BUCKETS);
  }

  /** Ejections since this state was created. */
  get ejections(): number {
    return this.#ejections;
  }

  /** `mayEject` asks the cluster whether one more may be out. */
  record(outcome: Outcome, cause: string, mayEject: () => boolean): void {
    if (outcome === 'abandoned' || !this.#health.isEligible) return;
    if (this.#settings.failureShare !== null) this.#count(outcome === 'failure');
    if (outcome === 'success') {
      this.#failures = 0;
      return;
    }
    this.#failures++;
    const why = this.#verdict();
    if (why !== null && mayEject()) this.#eject(`${why}, most recently ${cause}`);
  }

  #count(failed: boolean): void {
    const nowMs = this.#clock.nowMs();
    this.#requests.add(nowMs);
    if (failed) this.#failed.add(nowMs);
  }

  /** Why it should go, or null. */
  #verdict(): string | null {
    const { consecutiveFailures, failureShare } = this.#settings;
    if (this.#failures >= consecutiveFailures) return `${this.#failures} failures in a row`;
    if (failureShare === null) return null;
    const nowMs = this.#clock.nowMs();
    const requests = this.#requests.total(nowMs);
    const failed = this.#failed.total(nowMs);
    if (requests < failureShare.requestsMin || failed / requests < failureShare.ratio) return null;
    return `${failed} of ${requests} requests failed`;
  }

  #eject(cause: string): void {
    const nowMs = this.#clock.nowMs();
    const { ejectMs } = this.#settings;
    const forgiven = Math.floor(Math.max(0, nowMs - this.#ejectionEndsAtMs) / ejectMs);
    this.#repeats = Math.max(0, this.#repeats - forgiven) + 1;
    this.#ejections++;
    this.#failures = 0;
    this.#requests.clear();
    this.#failed.clear();
    // The cap is for repetition: a base time that is longer already stays as it is.
    const forMs = Math.max(ejectMs, Math.min(ejectMs * this.#repeats, EJECT_MS_MAX));
    this.#ejectionEndsAtMs = nowMs + forMs;
    this.#clock.cancelTimer(this.#timer);
    this.#timer = this.#clock.setTimer(readmit, forMs, this as PassiveHealth);
    this.#health.eject(cause, nowMs, this.#repeats === 1);
  }

  /** The time is over; or nobody else is left. */
  readmit(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
    this.#health.readmit(this.#clock.nowMs());
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function readmit(passive: PassiveHealth): void {
  passive.readmit();
}

/** How many of a cluster may be ejected at once: never the only one, always one of several. */
export function ejectedMax(endpoints: number, ratioMax: number): number {
  // 0.29 * 100 is a little below 29.
  return endpoints < 2 ? 0 : Math.max(1, Math.floor(endpoints * ratioMax + 1e-9));
}
