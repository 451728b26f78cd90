/**
 * The attempt loop of one request, and the only place that repeats anything.
 *
 *   next attempt ──> lease ──> send ──> head ──> relay ──> end
 *        ^              │        │       │         └── broken: cut the client's stream
 *        │              └────────┴───────┴── failed: the retry rules say again (after a delay) or no
 *        └───────────────────────────────────┘
 *
 * An upload is never held back for a possible retry: it streams, and a bounded copy is kept while it fits.
 */
import assert from 'node:assert/strict';
import { type Lease, type Outcome, outcomeOfFailure, outcomeOfStatus } from '../load_balancer/lease.ts';
import type { AttemptRecord, FiredTimeout } from '../observability/events.ts';
import { circuitOpen } from '../resilience/circuit_breaker.ts';
import type { Failure, FailureKind } from '../resilience/failure.ts';
import { RequestTimer, type TimeoutName, type TimeoutObserver } from '../resilience/timeouts.ts';
import { DEADLINE_FIELD, filterInformation, filterResponseHeaders } from '../security/headers.ts';
import type { RequestHead } from '../security/request_head.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { RequestBody, type RequestBodyObserver } from './body_relay.ts';
import type { SlowReader } from './client/slow_reader.ts';
import { ClusterPermit } from './cluster_permit.ts';
import type { BoundCluster, BoundRoute } from './data_plane.ts';
import { InterimAllowance } from './interim_allowance.ts';
import type { RequestContext } from './request.ts';
import type { UpstreamFacts } from './request_record.ts';
import type { Responder, Work } from './responder.ts';
import { type AttemptEnd, RetryHistory } from './retry_history.ts';
import { RetryPause } from './retry_pause.ts';
import { failureOfTimeout } from './timeout_failure.ts';
import { startHandshake } from './tunnel/websocket.ts';
import { UpstreamRequestBuilder } from './upstream_request.ts';

/** Sends the request to a backend of `cluster` and its response to the client, or a failure. Returns at once. */
export function forwardRequest(
  context: RequestContext,
  responder: Responder,
  route: BoundRoute,
  cluster: BoundCluster,
  head: RequestHead,
): void {
  const forwarding = new Forwarding(context, responder, route, cluster, head);
  responder.forwardedBy(forwarding);
  forwarding.start();
}

class Forwarding implements Work, UpstreamFacts, AttemptOwner, TimeoutObserver, RequestBodyObserver {
  readonly #context: RequestContext;
  readonly #responder: Responder;
  readonly #route: BoundRoute;
  readonly #cluster: BoundCluster;
  readonly #head: RequestHead;
  readonly #timer: RequestTimer;
  readonly #body: RequestBody | null;
  readonly #requests: UpstreamRequestBuilder;
  readonly #history: RetryHistory;
  /** Attempts whose response is not wanted and is still being read to its end. */
  readonly #discarding: Attempt[] = [];
  #attempt: Attempt | null = null;
  #pause: RetryPause | null = null;
  #interim: InterimAllowance | null = null;
  /** Set while the client does not take the response as fast as it comes. */
  #slowReader: SlowReader | null = null;
  #permit: ClusterPermit | null = null;
  #continued = false;
  /** The client's own deadline has passed: that says nothing about a backend. */
  #isDeadlineOfClient = false;

  // Facts for the record of the request (`UpstreamFacts`).
  readonly attempts: AttemptRecord[] = [];
  queueMs = 0;
  pausedMs = 0;
  retryRefused: string | null = null;

  constructor(
    context: RequestContext,
    responder: Responder,
    route: BoundRoute,
    cluster: BoundCluster,
    head: RequestHead,
  ) {
    this.#context = context;
    this.#responder = responder;
    this.#route = route;
    this.#cluster = cluster;
    this.#head = head;
    this.#timer = new RequestTimer(context.services.clock, this);
    this.#body = head.hasBody
      ? new RequestBody(
          responder.body,
          route.settings.retries.replayBytesMax,
          context.services.traffic.buffers,
          this,
        )
      : null;
    const { random } = context.services;
    this.#history = new RetryHistory(head, route.settings.retries, cluster.retryBudget, random);
    this.#requests = new UpstreamRequestBuilder(context, route, head, this.#body);
  }

  start(): void {
    const { circuit, retryBudget } = this.#cluster;
    const permit = circuit?.admit() ?? null;
    if (permit === 'refused') {
      this.#responder.fail(circuitOpen(circuit));
      return;
    }
    if (circuit !== null && permit !== null) this.#permit = new ClusterPermit(circuit, permit);
    retryBudget.deposit();
    const { deadlineAtMs } = this.#context;
    if (this.#body === null) this.#startRequestTimer();
    else if (deadlineAtMs !== null)
      this.#timer.startRequest(deadlineAtMs - this.#context.services.clock.nowMs());
    this.#next();
  }

  /** Starts when the whole request has arrived; a deadline that came with the request may be sooner. */
  #startRequestTimer(): void {
    const { deadlineAtMs, services } = this.#context;
    const limitMs = this.#route.limits.requestMs;
    const leftMs = deadlineAtMs === null ? null : deadlineAtMs - services.clock.nowMs();
    // A request without a body was complete from the start, so the time of its admission counts towards the limit.
    const spentMs = this.#body === null ? this.#context.admissionMs : 0;
    if (leftMs !== null && (limitMs === null || leftMs < limitMs - spentMs)) this.#timer.startRequest(leftMs);
    else this.#timer.startRequest(limitMs, spentMs);
  }

  #settleCircuit(outcome: Outcome): void {
    const { reason, status } = this.#responder;
    this.#permit?.settle(outcome, reason ?? `status ${status}`);
  }

  /** The client has left, or the request has failed for another reason. */
  cancel(): void {
    this.#timer.stop();
    this.#endPause();
    const { reason } = this.#responder;
    this.#stopAttempt('abandoned', reason);
    // A request that never reached a backend says nothing about the cluster.
    const wasLeased = (this.#attempt?.lease ?? null) !== null;
    const counts = wasLeased && reason !== null && !this.#isDeadlineOfClient;
    this.#settleCircuit(counts ? outcomeOfFailure(reason) : 'abandoned');
    this.#finish();
  }

  get waitsForBody(): boolean {
    const body = this.#body;
    if (body === null || body.ended || body.waitsForBackend || this.#responder.headSent) return false;
    return this.#attempt?.connected === true;
  }
  get heldBytes(): number {
    return this.#body?.unsentBytes ?? 0;
  }
  onBodyHeld(): void {
    this.#responder.noteHeld();
  }

  onClientDrain(): void {
    this.#responder.noteHeld();
    this.#slowReader = null;
    this.#timer.startPhase('responseIdle', this.#route.settings.responseIdleMs);
    this.#attempt?.resume();
  }

  // ---- one attempt, in the order in which it happens

  #next(): void {
    this.#endPause();
    const { tried, wantsFresh } = this.#history;
    this.#history.countAttempt();
    this.#attempt = new Attempt(tried, !wantsFresh, this, this.#context.services.clock);
    this.#cluster.pool.lease(this.#attempt);
  }

  onLeased(attempt: Attempt, lease: Lease): void {
    this.attempts.push(attempt);
    this.queueMs += attempt.waitedMs;
    if (this.#head.expectContinue && !this.#continued) {
      this.#continued = true;
      this.#responder.inform(100, []);
    }
    const request = this.#requests.build(attempt, this.#history.wantsFresh);
    if (this.#head.upgrade === 'websocket') {
      startHandshake(
        lease.slot,
        request,
        attempt,
        this.#context,
        this.#responder,
        this.#route.settings.tunnelIdleMs,
        this.#route.responseEdits,
      );
      return;
    }
    lease.slot.send(request, attempt);
  }

  onConnected(): void {
    if (this.#body !== null && !this.#body.ended)
      this.#timer.startPhase('bodyIdle', this.#route.limits.bodyIdleMs);
    else this.#waitForHead();
  }

  /** The backend has the whole request: from here on it is the backend that takes time. */
  #waitForHead(): void {
    this.#timer.startTry(this.#route.settings.retries.perTryMs);
    this.#timer.startPhase('responseHead', this.#route.settings.responseHeadMs);
  }

  onBodyBytes(bytes: number): boolean {
    this.#timer.touch();
    this.#responder.noteBytesIn(bytes);
    const limitBytes = this.#route.limits.bodyBytesMax;
    if (limitBytes === null || bytes <= limitBytes) return true;
    this.#responder.fail({ kind: 'body_too_large', limitBytes });
    return false;
  }

  onBodyEnd(): void {
    if (this.#responder.headSent) return; // an early response has its own timeouts
    this.#startRequestTimer();
    if (this.#attempt?.connected === true) this.#waitForHead();
  }

  onInformation(status: number, headers: readonly string[]): void {
    this.#interim ??= new InterimAllowance();
    if (this.#responder.unsentBytes > INTERIM_UNSENT_BYTES_MAX) return;
    if (!this.#interim.take(this.#context.services.clock.nowMs())) return;
    this.#responder.inform(status, filterInformation(headers));
  }

  onHead(
    attempt: Attempt,
    status: number,
    statusText: string,
    headers: readonly string[],
    endOfStream: boolean,
  ): boolean {
    if (
      this.#route.settings.retries.onStatuses.includes(status) &&
      this.#tryAgain(attempt, { kind: 'response', status, headers })
    ) {
      this.#discarding.push(attempt);
      return false; // #tryAgain has stopped its timeouts
    }
    this.#timer.stopRequest();
    this.#timer.startPhase('responseIdle', this.#route.settings.responseIdleMs);
    this.#permit?.settleProbe(status);
    const fields = filterResponseHeaders(status, headers, this.#context, this.#route.responseEdits);
    this.#responder.sendHead(status, statusText, fields, endOfStream);
    return true;
  }

  onSwitched(): void {
    this.#timer.stop();
    this.#settleCircuit('success');
  }

  onData(chunk: Buffer): boolean {
    const flows = this.#responder.write(chunk);
    if (flows) this.#timer.touch();
    else {
      this.#slowReader = this.#responder.watchReader();
      this.#timer.startPhase('bodyIdle', this.#route.limits.bodyIdleMs);
      this.#responder.noteHeld(); // last, because it may end the request
    }
    return flows;
  }

  onEnd(trailers: readonly string[] | null): void {
    this.#timer.stop();
    this.#settleCircuit(outcomeOfStatus(this.#responder.status));
    this.#finish();
    this.#responder.end(trailers);
  }

  // ---- when an attempt fails

  onAttemptFailed(attempt: Attempt, failure: Failure): void {
    this.#attemptFailed(attempt, failure, this.#timeoutOf(failure));
  }

  #attemptFailed(attempt: Attempt, failure: Failure, timeout: FiredTimeout | null): void {
    if (attempt.lease === null) {
      this.queueMs += attempt.waitedMs;
      this.#onNobodyLeft(failure, timeout);
      return;
    }
    if (failure.kind === 'reset_before_head' && failure.noCapacity === true && this.#move()) return;
    if (this.#responder.headSent || !this.#tryAgain(attempt, { kind: 'failed', failure, timeout }))
      this.#responder.fail(failure, timeout);
  }

  /** Sends the request on another connection: nothing of it was sent on this one, and no retry rule applies. */
  #move(): boolean {
    if (!this.#history.moveAttempt()) return false;
    this.attempts.pop();
    this.#body?.close();
    this.#next();
    return true;
  }

  /** The pool gives no lease. After a failed attempt, that failure is the response and this is why it was not repeated. */
  #onNobodyLeft(failure: Failure, timeout: FiredTimeout | null): void {
    const { repeated } = this.#history;
    if (repeated?.kind !== 'failed') {
      this.#responder.fail(failure, timeout);
      return;
    }
    this.#noteRefusal(failure.kind);
    this.#responder.fail(repeated.failure, repeated.timeout);
  }

  onDefect(error: unknown): void {
    this.#responder.failInternally(error);
  }

  onTimeout(name: TimeoutName, afterMs: number): void {
    const { deadlineAtMs, services } = this.#context;
    if (name === 'bodyIdle' && this.#slowReader?.hasStopped(services.clock.nowMs(), afterMs) === false) {
      this.#timer.startPhase(name, afterMs);
      return;
    }
    const waitsForBackend = this.#body?.waitsForBackend === true && !this.#responder.headSent;
    const failure = failureOfTimeout(name, afterMs, waitsForBackend);
    let timeout = this.#context.firedTimeout(name, afterMs);
    if (name === 'request' && deadlineAtMs !== null && deadlineAtMs - services.clock.nowMs() < 1) {
      this.#isDeadlineOfClient = true;
      timeout = { name, ms: afterMs, origin: DEADLINE_FIELD };
    }
    const repeatable = name === 'responseHead' || name === 'perTry';
    this.#stopAttempt(this.#isDeadlineOfClient ? 'abandoned' : outcomeOfFailure(failure.kind), failure.kind);
    if (repeatable && this.#attempt !== null) this.#attemptFailed(this.#attempt, failure, timeout);
    else this.#responder.fail(failure, timeout);
  }

  /** The timeouts that the pool and the connection watch. */
  #timeoutOf(failure: Failure): FiredTimeout | null {
    if (failure.kind === 'queue_timeout') return this.#context.firedTimeout('queueTimeout', failure.afterMs);
    if (failure.kind === 'connect_timeout')
      return this.#context.firedTimeout('connectTimeout', failure.afterMs);
    return null;
  }

  #finish(): void {
    this.#body?.release();
    for (const attempt of this.#discarding) attempt.stopDiscarding();
  }

  /** An attempt that still waits leaves the queue: it must not get a backend after the request is over. */
  #stopAttempt(outcome: Outcome, reason: FailureKind | null): void {
    const attempt = this.#attempt;
    if (attempt === null || attempt.isOver) return;
    if (attempt.lease !== null) {
      attempt.stop(outcome, reason);
      return;
    }
    attempt.withdraw(this.#cluster.pool);
    this.queueMs += attempt.waitedMs;
  }

  #endPause(): void {
    if (this.#pause === null) return;
    this.pausedMs += this.#pause.end();
    this.#pause = null;
  }

  #noteRefusal(why: string): void {
    if (NO_REFUSAL.has(why)) return;
    this.retryRefused = why;
    this.#context.services.telemetry.retryRefused(this.#cluster.name, why);
  }

  /** Makes another attempt if the rules allow one; false if they do not. */
  #tryAgain(attempt: Attempt, end: AttemptEnd): boolean {
    const { services } = this.#context;
    const replayable = this.#body === null || this.#body.replayable;
    const timeLeftMs = this.#timer.requestDueAtMs - services.clock.nowMs();
    const decision = this.#history.decide(attempt, end, { replayable, timeLeftMs });
    if (!decision.again) {
      this.#noteRefusal(decision.why);
      return false;
    }
    assert(replayable, 'the rules allow no retry without the body');
    this.#timer.stopTry();
    this.#body?.close();
    if (decision.delayMs === 0) this.#next();
    else this.#pause = new RetryPause(services.clock, decision.delayMs, () => this.#next());
    return true;
  }
}

/** A client that has this much still to read gets no further interim responses. */
const INTERIM_UNSENT_BYTES_MAX = 16 * 1_024;
/** Where no retry was configured for the failure, none was refused. */
const NO_REFUSAL: ReadonlySet<string> = new Set(['off', 'not_asked_for']);
