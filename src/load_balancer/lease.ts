/** The right to send one request to one backend; whoever holds it must settle it exactly once. */
import assert from 'node:assert/strict';
import type { UpstreamSlot } from '../net/upstream.ts';
import type { Outcome, Permit } from '../resilience/circuit_breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Backend } from './backend.ts';

export type { Outcome } from '../resilience/circuit_breaker.ts';

/** The pool, as far as a lease needs it. */
export interface LeaseOwner {
  /** Whether one more backend may be taken out by passive health. */
  readonly mayEject: () => boolean;
  readonly clock: Clock;
}

export class Lease {
  readonly pool: LeaseOwner;
  readonly backend: Backend;
  readonly slot: UpstreamSlot;
  readonly permit: Permit | null;
  settled = false;

  constructor(pool: LeaseOwner, backend: Backend, slot: UpstreamSlot, permit: Permit | null) {
    this.pool = pool;
    this.backend = backend;
    this.slot = slot;
    this.permit = permit;
  }
}

/**
 * Tells circuit and passive health how it went, then gives the slot back to whoever waits. In this order: the next
 * request must not get a backend that this one has just shown to be broken. `cause` is what was seen, for the log.
 * `abandoned` says nothing about the backend: the client left, or the request failed for a reason of its own.
 */
export function settleLease(lease: Lease, outcome: Outcome, cause: string): void {
  assert(!lease.settled, 'a lease is settled once');
  lease.settled = true;
  const { backend, pool } = lease;
  backend.inFlight--;
  if (outcome === 'failure') backend.health.noteError(cause, pool.clock.nowMs());
  if (lease.permit !== null) backend.circuit?.settle(lease.permit, outcome, cause);
  backend.disagreement?.record(outcome, pool.clock.nowMs());
  backend.passive?.record(outcome, cause, pool.mayEject);
  backend.upstream.release(lease.slot);
  backend.room.tell();
}
