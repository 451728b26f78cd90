/**
 * The admission checks of a request that take time: its shared rate limits (asked of a store), then its password (checked in
 * a thread). Only requests to routes with one of these come here. If both are known at once, everything stays synchronous.
 *
 *   start ──> shared limits ──> credentials ──> proceed
 *                  └────────────────┴── refused, timed out, or the client has left: over
 *
 * The body is not read meanwhile, as it is not while a request waits for a backend.
 */
import type { Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { LoginVerdict } from '../security/basic_auth.ts';
import { DEADLINE_FIELD } from '../security/headers.ts';
import type { StoreAnswer } from '../security/limit_store.ts';
import type { StoreLimits } from '../security/limits_in_store.ts';
import type { RequestHead } from '../security/request_head.ts';
import type { BoundRoute } from './data_plane.ts';
import { type Charged, giveBack, judgeStoreAnswer, limited } from './rate_limits.ts';
import type { RoutingContext } from './request.ts';
import type { Responder, Work } from './responder.ts';

export class Admission implements Work {
  readonly #context: RoutingContext;
  readonly #responder: Responder;
  readonly #route: BoundRoute;
  readonly #head: RequestHead;
  readonly #charged: Charged;
  readonly #proceed: () => Failure | null;
  #isOver = false;
  #giveUp: (() => void) | null = null;
  #timer: Timer | null = null;

  /** `proceed` is called once the request is admitted. The request fails with the failure that it returns, if any. */
  constructor(
    context: RoutingContext,
    responder: Responder,
    route: BoundRoute,
    head: RequestHead,
    charged: Charged,
    proceed: () => Failure | null,
  ) {
    this.#context = context;
    this.#responder = responder;
    this.#route = route;
    this.#head = head;
    this.#charged = charged;
    this.#proceed = proceed;
  }

  start(): void {
    const { storeLimits } = this.#route;
    if (storeLimits === null) this.#askForUser();
    else this.#askStore(storeLimits);
    if (this.#isOver) return;
    this.#responder.heldBy(this);
    this.#startDeadline();
  }

  /** The body is not read yet, and nothing of it is held here. */
  readonly waitsForBody = false;
  readonly heldBytes = 0;

  /** The client has left, or the request has failed for another reason. */
  cancel(): void {
    this.#end();
  }
  onClientDrain(): void {}

  #end(): void {
    this.#isOver = true;
    const giveUp = this.#giveUp;
    this.#giveUp = null;
    giveUp?.();
    this.#context.services.clock.cancelTimer(this.#timer);
  }

  /** The earlier of the request timeout (only without a body) and the deadline of a trusted peer; `forward.ts` sets the rest. */
  #startDeadline(): void {
    const { deadlineAtMs, services } = this.#context;
    const nowMs = services.clock.nowMs();
    const requestMs = this.#head.hasBody ? null : this.#route.limits.requestMs;
    const requestAtMs = requestMs === null ? Number.POSITIVE_INFINITY : this.#context.startedAtMs + requestMs;
    const isOfClient = deadlineAtMs !== null && deadlineAtMs < requestAtMs;
    const dueAtMs = isOfClient ? deadlineAtMs : requestAtMs;
    if (dueAtMs === Number.POSITIVE_INFINITY) return;
    this.#timer = services.clock.setTimer(expire, dueAtMs - nowMs, () => this.#onDeadline(isOfClient));
  }

  #onDeadline(isOfClient: boolean): void {
    const { clock } = this.#context.services;
    const afterMs = Math.round(clock.nowMs() - this.#context.startedAtMs);
    const timeout = this.#context.firedTimeout('request', afterMs);
    this.#responder.fail(
      { kind: 'request_timeout', afterMs },
      isOfClient ? { ...timeout, origin: DEADLINE_FIELD } : timeout,
    );
  }

  #askStore(shared: StoreLimits): void {
    this.#wait(
      shared.ask(limited(this.#context, this.#head), answer =>
        this.#step(() => this.#onStoreAnswer(shared, answer)),
      ),
    );
  }

  #onStoreAnswer(shared: StoreLimits, answer: StoreAnswer): void {
    const failure = judgeStoreAnswer(this.#context, shared, answer);
    if (failure === null) this.#askForUser();
    else {
      giveBack(this.#charged);
      this.#fail(failure);
    }
  }

  #askForUser(): void {
    const { basicAuth } = this.#route;
    if (basicAuth === null) {
      this.#admit();
      return;
    }
    this.#wait(
      basicAuth.check(this.#head.headers, this.#context.clientIp, verdict =>
        this.#step(() => this.#onVerdict(verdict, basicAuth.realm)),
      ),
    );
  }

  #onVerdict(verdict: LoginVerdict, realm: string): void {
    switch (verdict.kind) {
      case 'user':
        this.#context.user = verdict.name;
        this.#admit();
        break;
      case 'refused':
        this.#fail({ kind: 'auth_required', realm });
        break;
      case 'overloaded':
        this.#fail({ kind: 'overloaded', signal: 'password_checks' });
        break;
      case 'failed':
        this.#fail({ kind: 'internal', detail: 'the thread that checks passwords has ended' });
        break;
    }
  }

  /** Keeps `giveUp`, unless the answer came synchronously and the next step has already begun. */
  #wait(giveUp: () => void): void {
    if (!this.#isOver && this.#giveUp === null) this.#giveUp = giveUp;
  }

  /** Called by stores and threads: a defect must cost only this request. */
  #step(act: () => void): void {
    if (this.#isOver) return;
    this.#giveUp = null;
    try {
      act();
    } catch (error) {
      this.#end();
      this.#responder.failInternally(error);
    }
  }

  #fail(failure: Failure): void {
    this.#end();
    this.#responder.fail(failure);
  }

  #admit(): void {
    this.#end();
    const { services, startedAtMs } = this.#context;
    this.#context.admissionMs = services.clock.nowMs() - startedAtMs;
    const failure = this.#proceed();
    if (failure !== null) this.#responder.fail(failure);
  }
}

function expire(act: () => void): void {
  act();
}
