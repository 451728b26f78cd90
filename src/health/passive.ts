/**
 * Traffic judges endpoints: so many failures in a row eject one for a while, longer with each repetition (Envoy's
 * outlier detection: base time times the number of ejections, capped). Answers of 4xx and clients who leave never
 * count; answers of 5xx do.
 */

import type { Outcome } from '../resilience/circuit_breaker.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { EndpointHealth } from './state.ts';

/** Watching the traffic itself. */
export interface PassiveHealthSettings {
  readonly consecutiveFailures: number;
  readonly ejectMs: number;
  /** At most this share of a cluster is out at once; one endpoint may always be, if there are two or more. */
  readonly ejectedRatioMax: number;
}

const EJECT_MS_MAX = 300_000;

export class PassiveHealth {
  readonly #settings: PassiveHealthSettings;
  readonly #health: EndpointHealth;
  readonly #clock: Clock;
  #failures = 0;
  #ejections = 0;
  #timer: Timer | null = null;

  constructor(settings: PassiveHealthSettings, health: EndpointHealth, clock: Clock) {
    this.#settings = settings;
    this.#health = health;
    this.#clock = clock;
  }

  get ejections(): number {
    return this.#ejections;
  }

  /** `mayEject` asks the cluster whether one more may be out. */
  record(outcome: Outcome, cause: string, mayEject: () => boolean): void {
    if (outcome === 'abandoned') return;
    if (outcome === 'success') {
      this.#failures = 0;
      return;
    }
    this.#failures++;
    if (this.#failures < this.#settings.consecutiveFailures || this.#health.isEjected || !mayEject()) return;
    this.#failures = 0;
    this.#ejections++;
    this.#health.eject(
      `${this.#settings.consecutiveFailures} failures in a row, the last: ${cause}`,
      this.#clock.nowMs(),
    );
    this.#clock.cancelTimer(this.#timer);
    this.#timer = this.#clock.setTimer(
      readmit,
      Math.min(this.#settings.ejectMs * this.#ejections, EJECT_MS_MAX),
      this as PassiveHealth,
    );
  }

  readmit(): void {
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
  return endpoints < 2 ? 0 : Math.max(1, Math.floor(endpoints * ratioMax));
}
