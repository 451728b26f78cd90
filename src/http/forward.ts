/**
 * A request on its way to a cluster: the attempt loop, and the only place that repeats anything.
 *
 *   next attempt ──> lease ──> send ──> head ──> relay ──> end
 *        ^              │        │       │         └── broken: cut the client's stream
 *        │              └────────┴───────┴── failed: decideRetry says again (after a delay) or no
 *        └───────────────────────────────────┘
 *
 * An upload is never held back for a possible retry: it streams, and a bounded copy is kept while it fits.
 */
import assert from 'node:assert/strict';
import type { Backend } from '../load_balancer/backend.ts';
import { type Lease, type Outcome, outcomeOfFailure, outcomeOfStatus } from '../load_balancer/lease.ts';
import type { UpstreamRequest } from '../net/upstream.ts';
import type { AttemptRecord, FiredTimeout } from '../observability/events.ts';
import { formatTraceparent, withTraceparent } from '../observability/trace_context.ts';
import { circuitOpen, type Permit } from '../resilience/circuit_breaker.ts';
import type { Failure, FailureKind } from '../resilience/failure.ts';
import { decideRetry } from '../resilience/retries.ts';
import { RequestTimer, type TimeoutName, type TimeoutObserver } from '../resilience/timeouts.ts';
import { rewriteTarget } from '../routing/rewrite.ts';
import {
  buildUpstreamHeaders,
  DEADLINE_FIELD,
  filterInformation,
  filterResponseHeaders,
  findHeader,
} from '../security/headers.ts';
import type { RequestHead } from '../security/request_head.ts';
import { RequestBody, type RequestBodyObserver } from './body_relay.ts';
import type { SlowReader } from './client/slow_reader.ts';
import type { BoundCluster, BoundRoute } from './data_plane.ts';
import { Attempt, type AttemptOwner } from './exchange.ts';
import { InterimAllowance } from './interim_allowance.ts';
import type { RequestContext } from './request.ts';
import type { UpstreamFacts } from './request_record.ts';
import type { Responder, Work } from './responder.ts';
import { RetryPause } from './retry_pause.ts';
import { startHandshake } from './tunnel/websocket.ts';

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

/** What is known of the attempt that is being repeated. */
interface Before {
  /** Null: it was a response, and its status is one to try again. */
  readonly failure: Failure | null;
  readonly timeout: FiredTimeout | null;
  /** Its connection was to blame: the next attempt gets one of its own. */
  readonly wasStale: boolean;
}

class Forwarding implements Work, UpstreamFacts, AttemptOwner, TimeoutObserver, RequestBodyObserver {
  readonly #context: RequestContext;
  readonly #responder: Responder;
  readonly #route: BoundRoute;
  readonly #cluster: BoundCluster;
  readonly #head: RequestHead;
  readonly #timer: RequestTimer;
  readonly #body: RequestBody | null;
  readonly #request: UpstreamRequest;
  readonly #tried: Backend[] = [];
  /** Attempts whose answer nobody wants, still being read to their end. */
  readonly #discarding: Attempt[] = [];
  #attempt: Attempt | null = null;
  #attemptCount = 0;
  /** Null: nothing is being repeated. */
  #before: Before | null = null;
  #pause: RetryPause | null = null;
  #interim: InterimAllowance | null = null;
  /** Of a client that holds up the answer; null: it reads. */
  #pace: SlowReader | null = null;
  #permit: Permit | null = null;
  #continued = false;
  #withoutRoom = 0;
  /** It gave up at a time of its own choice: that says nothing of a backend. */
  #isDeadlineOfClient = false;

  // Read for the record of the request when it is over.
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
    const headers = buildUpstreamHeaders(head, context, route.requestEdits);
    const { begunTraceparent } = context;
    this.#request = {
      method: head.method,
      target: route.rewrite === null ? head.target : rewriteTarget(route.rewrite, head.target),
      authority: route.settings.rewrite.host ?? head.authority,
      headers: begunTraceparent === null ? headers : withTraceparent(headers, begunTraceparent, true),
      body: null,
    };
  }

  start(): void {
    const { circuit, retryBudget } = this.#cluster;
    const permit = circuit?.admit() ?? null;
    if (permit === 'refused') {
      this.#responder.fail(circuitOpen(circuit));
      return;
    }
    this.#permit = permit;
    retryBudget.deposit();
    const { deadlineAtMs } = this.#context;
    if (this.#body === null) this.#startRequestTimer();
    else if (deadlineAtMs !== null)
      this.#timer.startRequest(deadlineAtMs - this.#context.services.clock.nowMs());
    this.#next();
  }

  /** From the request being there in full; a deadline that came with it may be sooner. */
  #startRequestTimer(): void {
    const { deadlineAtMs, services } = this.#context;
    const limitMs = this.#route.limits.requestMs;
    const leftMs = deadlineAtMs === null ? null : deadlineAtMs - services.clock.nowMs();
    this.#timer.startRequest(leftMs === null ? limitMs : Math.min(leftMs, limitMs ?? leftMs));
  }

  /** Tells the cluster's circuit once how the whole request went. */
  #settleCircuit(outcome: Outcome, status = this.#responder.status): void {
    if (this.#permit === null) return;
    const { reason } = this.#responder;
    this.#cluster.circuit?.settle(this.#permit, outcome, reason ?? `status ${status}`);
    this.#permit = null;
  }

  /** Others wait for what the one that an open circuit has let through learns, and its response may go on for hours. */
  #judgeProbe(status: number): void {
    if (this.#cluster.circuit?.isProbe(this.#permit) === true)
      this.#settleCircuit(outcomeOfStatus(status), status);
  }

  /** The client has left, or the request has failed for a reason of its own. */
  cancel(): void {
    this.#timer.stop();
    this.#endPause();
    const { reason } = this.#responder;
    this.#stopAttempt('abandoned', reason);
    // A request that no backend was asked for says nothing about them.
    const wasAsked = (this.#attempt?.lease ?? null) !== null;
    const isTold = wasAsked && reason !== null && !this.#isDeadlineOfClient;
    this.#settleCircuit(isTold ? outcomeOfFailure(reason) : 'abandoned');
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
    this.#pace = null;
    this.#timer.startPhase('responseIdle', this.#route.settings.responseIdleMs);
    this.#attempt?.resume();
  }

  get #wantsFresh(): boolean {
    return this.#before?.wasStale === true;
  }

  // ---- one attempt, in the order in which it happens

  #next(): void {
    this.#endPause();
    this.#attemptCount++;
    this.#attempt = new Attempt(this.#tried, !this.#wantsFresh, this, this.#context.services.clock);
    this.#cluster.pool.lease(this.#attempt);
  }

  onLeased(attempt: Attempt, lease: Lease): void {
    this.attempts.push(attempt);
    this.queueMs += attempt.waitedMs;
    if (this.#head.expectContinue && !this.#continued) {
      this.#continued = true;
      this.#responder.inform(100, []);
    }
    if (this.#head.upgrade === 'websocket') {
      startHandshake(
        lease.slot,
        this.#requestOfAttempt(attempt),
        attempt,
        this.#context,
        this.#responder,
        this.#route.settings.tunnelIdleMs,
        this.#route.responseEdits,
      );
      return;
    }
    lease.slot.send(this.#requestOfAttempt(attempt), attempt);
  }

  /** The same object for every attempt, unless this one has something of its own. */
  #requestOfAttempt(attempt: Attempt): UpstreamRequest {
    const { deadlineAtMs, services, trace } = this.#context;
    const isPlain = deadlineAtMs === null && trace === null && !this.#wantsFresh;
    if (this.#body === null && isPlain) return this.#request;
    const body = this.#body === null ? null : this.#body.open();
    const request = { ...this.#request, body, fresh: this.#wantsFresh };
    if (isPlain) return request;
    let { headers } = request;
    if (trace !== null) {
      attempt.spanId = services.random.hex(8);
      const traceparent = formatTraceparent(trace.traceId, attempt.spanId, trace.sampled);
      headers = withTraceparent(headers, traceparent, trace.parentId === null);
    }
    if (deadlineAtMs === null) return { ...request, headers };
    const leftMs = Math.max(0, Math.floor(deadlineAtMs - services.clock.nowMs()));
    return { ...request, headers: [...headers, DEADLINE_FIELD, String(leftMs)] };
  }

  onConnected(): void {
    if (this.#body !== null && !this.#body.ended)
      this.#timer.startPhase('bodyIdle', this.#route.limits.bodyIdleMs);
    else this.#waitForHead();
  }

  /** The backend has the whole request: what takes time from here on is its own. */
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
    if (this.#responder.headSent) return; // an early answer is under way and has its own timeouts
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
      this.#tryAgain(attempt, NO_FAILURE, status, headers)
    ) {
      this.#discarding.push(attempt);
      return false; // its timeouts have ended with #tryAgain
    }
    this.#timer.stopRequest();
    this.#timer.startPhase('responseIdle', this.#route.settings.responseIdleMs);
    this.#judgeProbe(status);
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
      this.#pace = this.#responder.watchReader();
      this.#timer.startPhase('bodyIdle', this.#route.limits.bodyIdleMs);
      this.#responder.noteHeld(); // last: it may end the request
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
    if (failure.kind === 'reset_before_head' && failure.noRoom === true && this.#askForRoomAgain()) return;
    if (this.#responder.headSent || !this.#tryAgain(attempt, { failure, timeout }, null, []))
      this.#responder.fail(failure, timeout);
  }

  /** It was no attempt: nothing of it has left, and no retry rule is asked. False: it has happened too often. */
  #askForRoomAgain(): boolean {
    if (this.#withoutRoom++ >= WITHOUT_ROOM_MAX) return false;
    this.attempts.pop();
    this.#attemptCount--;
    this.#body?.close();
    this.#next();
    return true;
  }

  /** The whole cluster has said no. After an attempt that failed, that is only why it was not repeated. */
  #onNobodyLeft(failure: Failure, timeout: FiredTimeout | null): void {
    const before = this.#before;
    if (before === null || before.failure === null) {
      this.#responder.fail(failure, timeout);
      return;
    }
    this.#noteRefusal(failure.kind);
    this.#responder.fail(before.failure, before.timeout);
  }

  onDefect(error: unknown): void {
    this.#responder.failInternally(error);
  }

  onTimeout(name: TimeoutName, afterMs: number): void {
    const { deadlineAtMs, services } = this.#context;
    if (name === 'bodyIdle' && this.#pace?.hasStopped(services.clock.nowMs(), afterMs) === false) {
      this.#timer.startPhase(name, afterMs);
      return;
    }
    const failure = this.#failureOf(name, afterMs);
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

  #failureOf(name: TimeoutName, afterMs: number): Failure {
    switch (name) {
      case 'request':
        return { kind: 'request_timeout', afterMs };
      case 'perTry':
        return { kind: 'per_try_timeout', afterMs };
      case 'responseHead':
        return { kind: 'response_head_timeout', afterMs };
      case 'responseIdle':
        return { kind: 'response_idle_timeout', afterMs };
      case 'bodyIdle':
        // The client is not to blame for a body that the backend does not take.
        return this.#body?.waitsForBackend === true && !this.#responder.headSent
          ? { kind: 'response_head_timeout', afterMs }
          : { kind: 'client_timeout', timer: 'bodyIdle', afterMs };
    }
  }

  /** Of those that are watched elsewhere. */
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

  /** One that still waits for a backend must not get one after its request is over. */
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

  /** Makes another attempt if the rules allow one. */
  #tryAgain(
    attempt: Attempt,
    failed: Pick<Before, 'failure' | 'timeout'>,
    status: number | null,
    headers: readonly string[],
  ): boolean {
    const { services } = this.#context;
    const { failure } = failed;
    const facts = {
      failure: failure?.kind ?? null,
      status,
      method: this.#head.method,
      hasIdempotencyKey: findHeader(this.#head.headers, 'idempotency-key') !== null,
      replayable: this.#body === null || this.#body.replayable,
      stale: attempt.stale,
      unsent: failure?.kind === 'reset_before_head' && failure.unsent === true,
      refused: failure?.kind === 'reset_before_head' && failure.refused === true,
      attempts: this.#attemptCount,
      retryAfter: findHeader(headers, 'retry-after'),
      timeLeftMs: this.#timer.requestDueAtMs - services.clock.nowMs(),
    };
    const decision = decideRetry(
      facts,
      this.#route.settings.retries,
      this.#cluster.retryBudget,
      services.random,
    );
    if (!decision.again) {
      this.#noteRefusal(decision.why);
      return false;
    }
    assert(this.#body === null || this.#body.replayable);
    const wasStale = decision.where === 'any';
    if (wasStale) this.#attemptCount--;
    else if (attempt.lease !== null) this.#tried.push(attempt.lease.backend);
    this.#before = { ...failed, wasStale };
    this.#timer.stopTry();
    this.#body?.close();
    if (decision.delayMs === 0) this.#next();
    else this.#pause = new RetryPause(services.clock, decision.delayMs, () => this.#next());
    return true;
  }
}

/** Whoever has so much still to read gets no more of them. */
const INTERIM_UNSENT_BYTES_MAX = 16 * 1_024;
/** Each new connection may turn out to have less room than was presumed. */
const WITHOUT_ROOM_MAX = 8;
/** Of an attempt that ended with a response. */
const NO_FAILURE = { failure: null, timeout: null };
/** What nobody has asked for was not refused. */
const NO_REFUSAL: ReadonlySet<string> = new Set(['off', 'not_asked_for']);
