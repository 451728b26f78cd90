/** What has been tried for one request so far, and what the retry rules say about another attempt. */
import type { Backend } from '../load_balancer/backend.ts';
import type { FiredTimeout } from '../observability/events.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import {
  decideRetry,
  type RetryDecision,
  type RetryFacts,
  type RetrySettings,
} from '../resilience/retries.ts';
import type { RetryBudget } from '../resilience/retry_budget.ts';
import { findHeader } from '../security/headers.ts';
import type { RequestHead } from '../security/request_head.ts';
import type { Attempt } from './attempt.ts';

/** How an attempt ended that may be repeated. */
export type AttemptEnd =
  | { readonly kind: 'failed'; readonly failure: Failure; readonly timeout: FiredTimeout | null }
  | { readonly kind: 'response'; readonly status: number; readonly headers: readonly string[] };

/** A new connection may turn out to allow fewer streams than was assumed; a request is moved to another one so many times. */
const MOVES_MAX = 8;

export class RetryHistory {
  readonly #head: RequestHead;
  readonly #settings: RetrySettings;
  readonly #budget: RetryBudget;
  readonly #random: Random;
  /** Backends of earlier attempts; not the one whose connection was stale, because it has not seen the request. */
  readonly tried: Backend[] = [];
  #attempts = 0;
  #moves = 0;
  #repeated: AttemptEnd | null = null;
  #lastWasStale = false;

  constructor(head: RequestHead, settings: RetrySettings, budget: RetryBudget, random: Random) {
    this.#head = head;
    this.#settings = settings;
    this.#budget = budget;
    this.#random = random;
  }

  /** The end of the attempt that is being repeated; null during the first attempt. */
  get repeated(): AttemptEnd | null {
    return this.#repeated;
  }
  /** The last attempt met a stale connection: the next one needs one that has served no other request. */
  get wantsFresh(): boolean {
    return this.#lastWasStale;
  }

  countAttempt(): void {
    this.#attempts++;
  }

  /** The last attempt was none: nothing of it was sent, because there was no free stream. False if it happened too often. */
  moveAttempt(): boolean {
    if (this.#moves++ >= MOVES_MAX) return false;
    this.#attempts--;
    return true;
  }

  /** Asks the rules. If another attempt is made, the one that has ended is written down as tried. */
  decide(
    attempt: Attempt,
    end: AttemptEnd,
    facts: Pick<RetryFacts, 'replayable' | 'timeLeftMs'>,
  ): RetryDecision {
    const failure = end.kind === 'failed' ? end.failure : null;
    const decision = decideRetry(
      {
        failure: failure?.kind ?? null,
        status: end.kind === 'response' ? end.status : null,
        method: this.#head.method,
        hasIdempotencyKey: findHeader(this.#head.headers, 'idempotency-key') !== null,
        stale: attempt.stale,
        unsent: failure?.kind === 'reset_before_head' && failure.unsent === true,
        refused: failure?.kind === 'reset_before_head' && failure.refused === true,
        attempts: this.#attempts,
        retryAfter: end.kind === 'response' ? findHeader(end.headers, 'retry-after') : null,
        ...facts,
      },
      this.#settings,
      this.#budget,
      this.#random,
    );
    if (!decision.again) return decision;
    this.#repeated = end;
    this.#lastWasStale = decision.where === 'any';
    if (this.#lastWasStale) this.#attempts--;
    else if (attempt.lease !== null) this.tried.push(attempt.lease.backend);
    return decision;
  }
}
