/**
 * Judges endpoints by their requests: too many failures in a row, or too large a share of failures, eject an endpoint for a
 * while. The time grows with each ejection and shrinks by one step for each base time spent in rotation (Envoy's outlier
 * detection: base time times number of ejections, capped). Responses of 5xx count as failures and 4xx as successes. Clients
 * who leave do not count, nor do requests that were in flight when the endpoint went out of rotation.
 *
 * Times are monotonic milliseconds. A timer ends the ejection. A successful probe may end the first ejection earlier, but
 * not its repetitions: probes then do not see what requests see.
 */
import type { Outcome } from '../resilience/circuit_breaker.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import { SlidingCount } from '../resilience/sliding_count.ts';
import type { EndpointHealth } from './state.ts';

/** Ejects an endpoint when this share of its requests in a window fails, if there are enough of them. */
export interface FailureShare {
  readonly ratio: number; // above 0, to 1
  readonly requestsMin: number;
  readonly windowMs: number;
}

/** Settings of passive health checks, which eject endpoints whose requests fail. */
export interface PassiveHealthSettings {
  readonly consecutiveFailures: number;
  /** Null: the share of failures is not judged. */
  readonly failureShare: FailureShare | null;
  readonly ejectMs: number;
  /** At most this share of a cluster is ejected at the same time. Of two or more endpoints, one may always be. */
  readonly ejectedRatioMax: number;
}

const EJECT_MS_MAX = 300_000;
/** The window has this many buckets, so it moves by a tenth of its length. */
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

  /** Records the outcome of one request. `mayEject` tells whether the cluster can spare one more endpoint. */
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

  /** Why the endpoint should be ejected; null: it should not. */
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
    // The cap applies to repetitions. A base time above the cap stays as it is.
    const forMs = Math.max(ejectMs, Math.min(ejectMs * this.#repeats, EJECT_MS_MAX));
    this.#ejectionEndsAtMs = nowMs + forMs;
    this.#clock.cancelTimer(this.#timer);
    this.#timer = this.#clock.setTimer(readmit, forMs, this as PassiveHealth);
    this.#health.eject(cause, nowMs, this.#repeats === 1);
  }

  /** Ends the ejection: its time is over, or no other endpoint is left. */
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

/** How many endpoints of a cluster may be ejected at the same time: never the only one, always one of several. */
export function ejectedMax(endpoints: number, ratioMax: number): number {
  // 0.29 * 100 is a little below 29.
  return endpoints < 2 ? 0 : Math.max(1, Math.floor(endpoints * ratioMax + 1e-9));
}
