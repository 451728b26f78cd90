/**
 * One attempt against one backend: wait for a lease, send, receive the response, settle the lease.
 *
 *   waiting ──onLease──> sending ──onHead──> responding ──onEnd/onError──> over
 *                           │                    ├─ or tunnel: the backend has switched protocols
 *                           │                    └─ or discarding: the response is not for the client,
 *                           └──onError──> over      it is read to its end to keep the connection
 *
 * The attempt decides nothing: its owner (`forward.ts`) decides what a failure or a head means for the request.
 * The attempt settles its lease exactly once, on every way out.
 */
import assert from 'node:assert/strict';
import type { Backend } from '../load_balancer/backend.ts';
import {
  judgeLease,
  type Lease,
  type Outcome,
  outcomeOfFailure,
  outcomeOfStatus,
  settleLease,
} from '../load_balancer/lease.ts';
import type { ClusterPool, LeaseWant } from '../load_balancer/pool.ts';
import type { UpstreamHandler } from '../net/upstream.ts';
import type { AttemptRecord } from '../observability/events.ts';
import type { Clock } from '../resilience/clock.ts';
import { detailOf, type Failure, type FailureKind } from '../resilience/failure.ts';
import { DiscardLimit } from './discard_limit.ts';

/** Observes one attempt. */
export interface AttemptOwner {
  /** A backend is leased and nothing was sent yet. The owner sends through `lease.slot`. */
  onLeased(attempt: Attempt, lease: Lease): void;
  onConnected(attempt: Attempt): void;
  onInformation(status: number, headers: readonly string[]): void;
  /** Returns false if the response is not wanted, because another attempt is made. */
  onHead(
    attempt: Attempt,
    status: number,
    statusText: string,
    headers: readonly string[],
    endOfStream: boolean,
  ): boolean;
  onSwitched(): void;
  onData(chunk: Buffer): boolean;
  onEnd(trailers: readonly string[] | null): void;
  /** The attempt is over without a complete response. */
  onAttemptFailed(attempt: Attempt, failure: Failure): void;
  /** One of the calls above threw. */
  onDefect(error: unknown): void;
}

/** Pauses or stops the bytes of a response: a slot, or a WebSocket handshake on a socket of its own. */
interface Flow {
  resume(): void;
  abort(): void;
}

/** One of them at a time; `#become` changes it. */
type AttemptState =
  | { readonly kind: 'waiting' | 'sending' | 'responding' | 'tunnel' | 'over' }
  | { readonly kind: 'discarding'; readonly limit: DiscardLimit };

// States without data of their own are shared by all attempts.
const WAITING: AttemptState = { kind: 'waiting' };
const SENDING: AttemptState = { kind: 'sending' };
const RESPONDING: AttemptState = { kind: 'responding' };
const TUNNEL: AttemptState = { kind: 'tunnel' };
const OVER: AttemptState = { kind: 'over' };

/** A connection that the backend had already closed fails within a round trip. After that, the request itself was lost. */
const STALE_MS_MAX = 1_000;

/** A backend that refuses one more stream, or allows fewer streams than was assumed, is not broken. */
function isRefused(failure: Failure): boolean {
  return failure.kind === 'reset_before_head' && (failure.refused === true || failure.noCapacity === true);
}

export class Attempt implements AttemptRecord, LeaseWant, UpstreamHandler {
  readonly tried: readonly Backend[];
  readonly #mayBeStale: boolean;
  readonly #owner: AttemptOwner;
  readonly #clock: Clock;
  #state: AttemptState = WAITING;
  #lease: Lease | null = null;
  #flow: Flow | null = null;

  endpoint = '';
  endpointLabel = '';
  spanId: string | null = null;
  startedAtMs = 0;
  connectMs: number | null = null;
  firstByteMs: number | null = null;
  endedAtMs: number | null = null;
  status: number | null = null;
  reason: FailureKind | null = null;
  detail: string | null = null;
  reused = false;
  /** Time spent waiting for a lease, in milliseconds. */
  waitedMs = 0;
  /** The reused connection was most likely closed by the backend before it saw the request. */
  stale = false;

  /** `mayBeStale` is false after an attempt on a stale connection: this one uses a fresh connection. */
  constructor(tried: readonly Backend[], mayBeStale: boolean, owner: AttemptOwner, clock: Clock) {
    this.tried = tried;
    this.#mayBeStale = mayBeStale;
    this.#owner = owner;
    this.#clock = clock;
  }

  get lease(): Lease | null {
    return this.#lease;
  }
  /** Bytes of the request may have reached the backend. */
  get connected(): boolean {
    return this.connectMs !== null;
  }

  onLease(lease: Lease, waitedMs: number): void {
    this.waitedMs = waitedMs;
    this.#lease = lease;
    this.#flow = lease.slot;
    this.#become(SENDING);
    this.endpoint = lease.backend.name;
    this.endpointLabel = lease.backend.label;
    this.startedAtMs = this.#clock.nowMs();
    this.#owner.onLeased(this, lease);
  }

  onRefused(failure: Failure, waitedMs: number): void {
    this.waitedMs = waitedMs;
    this.#become(OVER);
    this.#owner.onAttemptFailed(this, failure);
  }

  onConnected(reused: boolean, connectMs: number): void {
    if (this.isOver) return;
    this.reused = reused;
    this.connectMs = connectMs;
    this.#owner.onConnected(this);
  }

  onInformation(status: number, headers: readonly string[]): void {
    if (!this.isOver) this.#owner.onInformation(status, headers);
  }

  onHead(status: number, statusText: string, headers: readonly string[], endOfStream: boolean): void {
    if (this.isOver) return;
    if (status < 200 || status > 599) {
      this.#flow?.abort(); // RFC 9110 section 15: three digits, of five classes
      this.onError({ kind: 'bad_response', detail: `The status is ${status}.` });
      return;
    }
    this.status = status;
    this.firstByteMs = this.#clock.nowMs() - this.startedAtMs;
    this.#become(RESPONDING);
    let wanted = true;
    try {
      wanted = this.#owner.onHead(this, status, statusText, headers, endOfStream);
    } catch (error) {
      this.#owner.onDefect(error); // undici would treat it as a failure of the connection
    }
    if (!wanted && !this.isOver) {
      const limit = new DiscardLimit(this.#clock, () => this.stopDiscarding());
      this.#become({ kind: 'discarding', limit });
    }
    // Other requests wait for the verdict of the probe, and its response may go on for hours.
    if (this.#lease !== null && this.#lease.backend.circuit?.isProbe(this.#lease.permit) === true)
      judgeLease(this.#lease, outcomeOfStatus(status), `status ${status}`);
  }

  /** Stops reading a response that is not wanted. Its status decides the outcome for the backend. */
  stopDiscarding(): void {
    if (this.#state.kind === 'discarding') this.stop(outcomeOfStatus(this.status ?? 0), null);
  }

  /** The backend has switched to another protocol: from now on the bytes belong to a tunnel. */
  switched(): void {
    this.status = 101;
    this.firstByteMs = this.#clock.nowMs() - this.startedAtMs;
    this.#become(TUNNEL);
    // How a tunnel ends says nothing about the endpoint; that it began does.
    if (this.#lease !== null) judgeLease(this.#lease, 'success', 'status 101');
    this.#owner.onSwitched();
  }

  onData(chunk: Buffer): boolean {
    if (this.isOver) return true;
    if (this.#state.kind !== 'discarding') return this.#owner.onData(chunk);
    this.#state.limit.countBytes(chunk.length);
    return true;
  }

  onEnd(trailers: readonly string[] | null): void {
    if (this.isOver) return;
    const wanted = this.#state.kind === 'responding';
    this.#settle(this.status === null ? 'abandoned' : outcomeOfStatus(this.status), null);
    if (wanted) this.#owner.onEnd(trailers);
  }

  onError(failure: Failure): void {
    if (this.isOver) return;
    const wanted = this.#state.kind !== 'discarding';
    this.stale = this.#mayBeStale && this.#isStale(failure);
    this.detail = detailOf(failure);
    this.#settle(
      this.stale || isRefused(failure) ? 'abandoned' : outcomeOfFailure(failure.kind),
      failure.kind,
    );
    if (wanted) this.#owner.onAttemptFailed(this, failure);
  }

  /**
   * True for a reused connection that ends at once; and, on any connection, for an HTTP/2 backend whose GOAWAY says that it
   * did not process this stream (RFC 9113 section 6.8).
   */
  #isStale(failure: Failure): boolean {
    if (failure.kind !== 'reset_before_head' || failure.streamOnly === true || failure.noCapacity === true)
      return false;
    if (!this.reused && failure.unsent !== true) return false;
    return this.#clock.nowMs() - this.startedAtMs < STALE_MS_MAX;
  }

  /** Ends the attempt from this side; the owner is not called again. Withdraw an attempt that still waits for a lease. */
  stop(outcome: Outcome, reason: FailureKind | null): void {
    if (this.isOver) return;
    assert(this.#state.kind !== 'waiting', 'an attempt that waits for a backend is withdrawn, not stopped');
    this.#flow?.abort();
    this.#settle(outcome, reason);
  }

  /** The response comes through `flow` and not through the slot. */
  flowsThrough(flow: Flow): void {
    this.#flow = flow;
  }
  resume(): void {
    if (!this.isOver) this.#flow?.resume();
  }

  /** Leaves the queue; does nothing once there is a lease. */
  withdraw(pool: ClusterPool): void {
    if (this.#state.kind !== 'waiting') return;
    this.#become(OVER);
    this.waitedMs = pool.cancel(this);
  }

  /** Late events of a connection that was stopped are ignored. */
  get isOver(): boolean {
    return this.#state.kind === 'over';
  }

  #become(next: AttemptState): void {
    if (this.#state.kind === 'discarding') this.#state.limit.stop();
    this.#state = next;
  }

  #settle(outcome: Outcome, reason: FailureKind | null): void {
    this.#become(OVER);
    this.reason = reason;
    this.endedAtMs = this.#clock.nowMs();
    if (this.#lease === null) return;
    const detail = this.detail === null ? '' : ` ${this.detail}`;
    settleLease(this.#lease, outcome, reason === null ? `status ${this.status}` : `${reason}${detail}`);
  }
}
