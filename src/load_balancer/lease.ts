/** The right to send one request to one backend. Its holder must settle it exactly once. */
import assert from 'node:assert/strict';
import type { UpstreamSlot } from '../net/upstream.ts';
import type { Outcome, Permit } from '../resilience/circuit_breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import { FAILURE_RULES, type FailureKind } from '../resilience/failure.ts';
import type { Backend } from './backend.ts';

export type { Outcome } from '../resilience/circuit_breaker.ts';

/** The pool, as far as a lease needs it. */
export interface LeaseOwner {
  /** Whether passive health may take out one more backend. */
  readonly mayEject: () => boolean;
  readonly clock: Clock;
}

export class Lease {
  readonly pool: LeaseOwner;
  readonly backend: Backend;
  readonly slot: UpstreamSlot;
  readonly permit: Permit | null;
  judged = false;
  settled = false;

  constructor(pool: LeaseOwner, backend: Backend, slot: UpstreamSlot, permit: Permit | null) {
    this.pool = pool;
    this.backend = backend;
    this.slot = slot;
    this.permit = permit;
  }
}

/** `failure` only if the failure is the fault of the backend. */
export function outcomeOfFailure(kind: FailureKind): Outcome {
  return FAILURE_RULES[kind].blame === 'upstream' ? 'failure' : 'abandoned';
}

/**
 * 501 and 505 are about the request: a method or a version that the server does not know (RFC 9110 sections 15.6.2
 * and 15.6.6).
 */
export function outcomeOfStatus(status: number): Outcome {
  return status >= 500 && status !== 501 && status !== 505 ? 'failure' : 'success';
}

/**
 *
 * Reports the outcome to circuit breaker and passive health, before the connection is given back or while it is still in
 * use. Only the first call counts. `cause` is what was seen, for the log. `abandoned` says nothing about the backend: the
 * client left, or the request failed for another reason.
 */
export function judgeLease(lease: Lease, outcome: Outcome, cause: string): void {
  if (lease.judged) return;
  lease.judged = true;
  const { backend, pool } = lease;
  const nowMs = pool.clock.nowMs();
  if (outcome === 'failure') backend.health.noteError(cause, nowMs);
  if (lease.permit !== null) backend.circuit?.settle(lease.permit, outcome, cause);
  backend.disagreement?.record(outcome, nowMs);
  backend.passive?.record(outcome, cause, pool.mayEject);
}

/**
 * Reports the outcome, then gives the slot back. The order matters: the next request must not get a backend that this
 * one has just shown to be broken.
 */
export function settleLease(lease: Lease, outcome: Outcome, cause: string): void {
  assert(!lease.settled, 'a lease is settled once');
  lease.settled = true;
  const { backend } = lease;
  backend.load.inFlight--;
  judgeLease(lease, outcome, cause);
  backend.upstream.release(lease.slot);
  backend.capacity.notify();
}
