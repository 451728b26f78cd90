/** The permit of one request from the circuit breaker of its cluster. The request is counted once, with all its attempts. */
import { outcomeOfStatus } from '../load_balancer/lease.ts';
import type { CircuitBreaker, Outcome, Permit } from '../resilience/circuit_breaker.ts';

export class ClusterPermit {
  readonly #circuit: CircuitBreaker;
  readonly #permit: Permit;
  #settled = false;

  constructor(circuit: CircuitBreaker, permit: Permit) {
    this.#circuit = circuit;
    this.#permit = permit;
  }

  /** Reports the outcome to the circuit; only the first call counts. `cause` is what was seen, for the log. */
  settle(outcome: Outcome, cause: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#circuit.settle(this.#permit, outcome, cause);
  }

  /** Settles the probe of an open circuit with its head: other requests wait for it, and its body may go on for hours. */
  settleProbe(status: number): void {
    if (!this.#settled && this.#circuit.isProbe(this.#permit))
      this.settle(outcomeOfStatus(status), `status ${status}`);
  }
}
