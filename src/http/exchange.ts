/**
 * One attempt against one backend: wait for a lease, send, hear the answer, settle the lease.
 *
 *   waiting ──onLease──> sending ──onHead──> answering ──onEnd/onError──> over
 *                           │                    └─ or switched: a tunnel now
 *                           │                    └─ or discarding: the answer is not for the client,
 *                           └──onError──> over      it is read to its end to keep the connection
 *
 * The attempt decides nothing: what a failure or a head means for the request is its owner's business
 * (`forward.ts`). It settles its lease exactly once, on every way out.
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
import type { Clock, Timer } from '../resilience/clock.ts';
import { detailOf, type Failure, type FailureKind } from '../resilience/failure.ts';

/** Who hears what becomes of an attempt. */
export interface AttemptOwner {
  /** A backend is there; nothing was sent. The owner sends through `lease.slot`. */
  onLeased(attempt: Attempt, lease: Lease): void;
  onConnected(attempt: Attempt): void;
  onInformation(status: number, headers: readonly string[]): void;
  /** False: the answer is not wanted; another attempt is made. */
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
  /** The attempt is over without a whole answer. */
  onAttemptFailed(attempt: Attempt, failure: Failure): void;
  /** One of the calls above has thrown. */
  onDefect(error: unknown): void;
}

/** How the bytes of an answer are held back or stopped: a slot, or a WebSocket handshake on a socket of its own. */
interface Flow {
  resume(): void;
  abort(): void;
}

/** An answer that nobody wants is read this far to keep its connection; a longer one costs the connection. */
const DISCARD_BYTES_MAX = 64 * 1024;
/** And for so long: the request that it belonged to may last for hours. */
const DISCARD_MS_MAX = 1_000;
/** A connection that the backend had closed shows it within a round trip; later it is the request that was lost. */
const STALE_MS_MAX = 1_000;

/** A backend with too much to do for one stream more, or with less room than was presumed, is not broken. */
function isRefused(failure: Failure): boolean {
  return failure.kind === 'reset_before_head' && (failure.refused === true || failure.noRoom === true);
}

export class Attempt implements AttemptRecord, LeaseWant, UpstreamHandler {
  readonly tried: readonly Backend[];
  readonly #mayBeStale: boolean;
  readonly #owner: AttemptOwner;
  readonly #clock: Clock;
  #state: 'waiting' | 'sending' | 'answering' | 'discarding' | 'switched' | 'over' = 'waiting';
  #lease: Lease | null = null;
  #flow: Flow | null = null;
  #discardedBytes = 0;
  #discardTimer: Timer | null = null;

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
  /** Time in the queue. */
  waitedMs = 0;
  /** The backend had closed this connection, it seems, and has seen nothing of the request. */
  stale = false;

  /** `mayBeStale` false: the one before was, so this connection is to blame no more. */
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
    this.#state = 'sending';
    this.endpoint = lease.backend.name;
    this.endpointLabel = lease.backend.label;
    this.startedAtMs = this.#clock.nowMs();
    this.#owner.onLeased(this, lease);
  }

  onRefused(failure: Failure, waitedMs: number): void {
    this.waitedMs = waitedMs;
    this.#state = 'over';
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
    this.#state = 'answering';
    let wanted = true;
    try {
      wanted = this.#owner.onHead(this, status, statusText, headers, endOfStream);
    } catch (error) {
      this.#owner.onDefect(error); // undici would take it for a fault of the connection
    }
    if (!wanted && !this.isOver) {
      this.#state = 'discarding';
      this.#discardTimer = this.#clock.setTimer(stopDiscarding, DISCARD_MS_MAX, this);
    }
    // Others wait for what this one learns, and its answer may go on for hours.
    if (this.#lease !== null && this.#lease.backend.circuit?.isProbe(this.#lease.permit) === true)
      judgeLease(this.#lease, outcomeOfStatus(status), `status ${status}`);
  }

  /** The answer that nobody wants is read no further; its status has said how the backend did. */
  stopDiscarding(): void {
    if (this.#state === 'discarding') this.stop(outcomeOfStatus(this.status ?? 0), null);
  }

  /** The backend has switched to another protocol: what comes now are bytes of a tunnel. */
  switched(): void {
    this.status = 101;
    this.firstByteMs = this.#clock.nowMs() - this.startedAtMs;
    this.#state = 'switched';
    // How a tunnel ends says nothing of the endpoint; that it began does.
    if (this.#lease !== null) judgeLease(this.#lease, 'success', 'status 101');
    this.#owner.onSwitched();
  }

  onData(chunk: Buffer): boolean {
    if (this.isOver) return true;
    if (this.#state !== 'discarding') return this.#owner.onData(chunk);
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > DISCARD_BYTES_MAX) this.stopDiscarding();
    return true;
  }

  onEnd(trailers: readonly string[] | null): void {
    if (this.isOver) return;
    const wanted = this.#state === 'answering';
    this.#settle(this.status === null ? 'abandoned' : outcomeOfStatus(this.status), null);
    if (wanted) this.#owner.onEnd(trailers);
  }

  onError(failure: Failure): void {
    if (this.isOver) return;
    const wanted = this.#state !== 'discarding';
    this.stale = this.#mayBeStale && this.#isStale(failure);
    this.detail = detailOf(failure);
    this.#settle(
      this.stale || isRefused(failure) ? 'abandoned' : outcomeOfFailure(failure.kind),
      failure.kind,
    );
    if (wanted) this.#owner.onAttemptFailed(this, failure);
  }

  /**
   * A kept connection that ends at once; or, on any connection, an HTTP/2 backend that goes away and says that it has not
   * looked at this stream (RFC 9113 section 6.8).
   */
  #isStale(failure: Failure): boolean {
    if (failure.kind !== 'reset_before_head' || failure.streamOnly === true || failure.noRoom === true)
      return false;
    if (!this.reused && failure.unsent !== true) return false;
    return this.#clock.nowMs() - this.startedAtMs < STALE_MS_MAX;
  }

  /** Ends the attempt from this side. The owner hears nothing more of it. */
  stop(outcome: Outcome, reason: FailureKind | null): void {
    if (this.isOver) return;
    assert(this.#state !== 'waiting', 'an attempt that waits for a backend is withdrawn, not stopped');
    this.#flow?.abort();
    this.#settle(outcome, reason);
  }

  /** The answer comes another way than through the slot. */
  flowsThrough(flow: Flow): void {
    this.#flow = flow;
  }
  resume(): void {
    if (!this.isOver) this.#flow?.resume();
  }

  /** Withdraws a want that has no lease yet. */
  withdraw(pool: ClusterPool): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'over';
    this.waitedMs = pool.cancel(this);
  }

  /** Nothing that comes now matters: what is stopped may still stumble. */
  get isOver(): boolean {
    return this.#state === 'over';
  }

  #settle(outcome: Outcome, reason: FailureKind | null): void {
    this.#state = 'over';
    this.#clock.cancelTimer(this.#discardTimer);
    this.reason = reason;
    this.endedAtMs = this.#clock.nowMs();
    if (this.#lease === null) return;
    const detail = this.detail === null ? '' : ` ${this.detail}`;
    settleLease(this.#lease, outcome, reason === null ? `status ${this.status}` : `${reason}${detail}`);
  }
}

function stopDiscarding(attempt: Attempt): void {
  attempt.stopDiscarding();
}
