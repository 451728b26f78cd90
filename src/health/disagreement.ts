/**
 * Detects endpoints whose probes succeed while their requests fail: a health check of something that still works. The state
 * of such an endpoint looks healthy, so an event reports it once when it begins and once when it is over.
 *
 * Requests fail: passive health has ejected the endpoint since the previous probe was sent, or more than half of at least
 * ten requests within ten seconds have failed.
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

  /** Probes and requests disagree at the moment. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Counts one finished request to the endpoint. */
  record(outcome: Outcome, nowMs: number): void {
    if (outcome === 'abandoned') return;
    this.#requests.add(nowMs);
    if (outcome === 'failure') this.#failures.add(nowMs);
  }

  /** A probe has ended; `ejected`: the endpoint was ejected when the probe was sent. */
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

  /** For the registry: there is nothing to release. */
  dispose(): void {}
}
