/**
 * "The probe says yes, the traffic says no": a health check that asks for something that still works while the requests
 * fail. Nobody notices such an endpoint by its state, so it is said in words of its own, once when it begins and once
 * when it is over.
 *
 * Traffic says no: it has ejected the endpoint since the probe was sent before, or more than half of at least ten
 * requests of the last ten seconds have failed.
 */
import type { Outcome } from '../resilience/circuit_breaker.ts';
import { SlidingCount } from '../resilience/sliding_count.ts';

export interface DisagreementChange {
  readonly disagree: boolean;
  readonly probe: string;
  readonly traffic: string;
}

const SECONDS = 10;
const REQUESTS_MIN = 10;
const FAILURE_RATIO = 0.5;

export class Disagreement {
  readonly #requests = new SlidingCount(1_000, SECONDS);
  readonly #failures = new SlidingCount(1_000, SECONDS);
  readonly #onChange: (change: DisagreementChange) => void;
  #isOpen = false;

  constructor(onChange: (change: DisagreementChange) => void) {
    this.#onChange = onChange;
  }

  /** An episode is under way. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** One request to the endpoint has ended. */
  record(outcome: Outcome, nowMs: number): void {
    if (outcome === 'abandoned') return;
    this.#requests.add(nowMs);
    if (outcome === 'failure') this.#failures.add(nowMs);
  }

  /** A probe has ended; `ejected`: traffic had taken the endpoint out when it was sent. */
  onProbe(ok: boolean, cause: string, ejected: boolean, nowMs: number): void {
    const requests = this.#requests.total(nowMs);
    const failures = this.#failures.total(nowMs);
    const isFailing = ejected || (requests >= REQUESTS_MIN && failures / requests > FAILURE_RATIO);
    const disagree = ok && isFailing;
    if (disagree === this.#isOpen) return;
    this.#isOpen = disagree;
    const traffic = `${failures} of ${requests} requests of the last ${SECONDS} s failed`;
    this.#onChange({ disagree, probe: cause, traffic });
  }

  /** For the registry: nothing is held. */
  dispose(): void {}
}
