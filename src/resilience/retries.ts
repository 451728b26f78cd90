/**
 * Decides from facts alone whether a request is tried again, when, and if not, why.
 *
 * Rules (RFC 9110 section 9.2.2): before anything was sent, any method may go to another backend. Once something may have
 * been processed, only idempotent methods, or requests with an `Idempotency-Key`. Never without the body, and never beyond
 * the attempts, the deadline or the retry budget of the cluster.
 */
import { type BackoffSettings, backoffMs } from './backoff.ts';
import { FAILURE_RULES, type FailureKind } from './failure.ts';
import type { Random } from './random.ts';

/** Retry settings of a route. */
export interface RetrySettings {
  /** Attempts after the first one; 0 switches retries off. */
  readonly attemptsMax: number;
  /** Failures before the response head that are retried: no connection, or a connection that broke. */
  readonly onConnect: boolean;
  readonly onReset: boolean;
  /** Statuses of a backend that are retried, for example 503. */
  readonly onStatuses: readonly number[];
  readonly perTryMs: number | null;
  readonly backoff: BackoffSettings;
  /** Bytes of a request body that are kept for another attempt. A larger body is sent only once. */
  readonly replayBytesMax: number;
}

export interface RetryFacts {
  /** What went wrong; null for a response with `status`. */
  readonly failure: FailureKind | null;
  readonly status: number | null;
  readonly method: string;
  readonly hasIdempotencyKey: boolean;
  /** The body can be sent again from its first byte; true if there is none. */
  readonly replayable: boolean;
  /** A reused connection ended before the response began: most likely the backend had closed it. */
  readonly stale: boolean;
  /** Certainly no byte of the request was written, so nothing was processed. Absent: not known. */
  readonly unsent?: boolean;
  /** The backend did not process the request, so the retry costs no budget. */
  readonly refused?: boolean;
  /** Attempts so far, without those on a stale connection. */
  readonly attempts: number;
  /** `Retry-After` of the response. */
  readonly retryAfter: string | null;
  readonly timeLeftMs: number;
}

export type RetryDecision =
  /** `any`: only the connection was at fault, not the backend. `other`: a backend that was not tried, if there is one. */
  | { readonly again: true; readonly delayMs: number; readonly where: 'other' | 'any' }
  /** `off`, `not_asked_for`: no retry is configured for this. */
  | { readonly again: false; readonly why: 'off' | 'not_asked_for' | RetryRefusal };

/** Why a configured retry was not made: in the log, in metrics, in decision records. */
export const RETRY_REFUSALS = [
  'attempts_used_up',
  'not_idempotent',
  'body_not_kept',
  'no_time',
  'retry_after_too_long',
  'budget_empty',
  // Reasons of the pool, when no backend takes the retry.
  'circuit_open',
  'dns_failed',
  'no_healthy_backend',
  'queue_full',
  'queue_timeout',
] as const;
type RetryRefusal = (typeof RETRY_REFUSALS)[number];

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** A longer `Retry-After` is left to the client. */
const RETRY_AFTER_MS_MAX = 1_000;

export function decideRetry(
  facts: RetryFacts,
  settings: RetrySettings,
  budget: { withdraw(): boolean },
  random: Random,
): RetryDecision {
  if (settings.attemptsMax === 0) return no('off');
  if (!isAskedFor(facts, settings)) return no('not_asked_for');
  const stale = facts.stale && facts.failure === 'reset_before_head';
  if (!stale && facts.attempts > settings.attemptsMax) return no('attempts_used_up');
  if (!isUntouched(facts) && !IDEMPOTENT.has(facts.method) && !facts.hasIdempotencyKey)
    return no('not_idempotent');
  if (!facts.replayable) return no('body_not_kept');

  const askedMs = retryAfterMs(facts.retryAfter);
  if (askedMs > RETRY_AFTER_MS_MAX) return no('retry_after_too_long');
  // Costs no budget: the cluster has not seen the first attempt. The next one uses a fresh connection.
  if (stale) return { again: true, delayMs: 0, where: 'any' };
  const delayMs = Math.max(askedMs, backoffMs(facts.attempts, settings.backoff, random));
  if (delayMs >= facts.timeLeftMs) return no('no_time');
  return facts.refused === true || budget.withdraw()
    ? { again: true, delayMs, where: 'other' }
    : no('budget_empty');
}

/** Certainly nothing of the request was processed, so any method may be repeated. */
function isUntouched({ failure, unsent }: RetryFacts): boolean {
  if (failure === null) return false;
  return (
    FAILURE_RULES[failure].retry === 'other_backend' || (failure === 'reset_before_head' && unsent === true)
  );
}

function isAskedFor({ failure, status }: RetryFacts, settings: RetrySettings): boolean {
  // A 4xx is about the request: another backend would respond the same.
  if (failure === null) return status !== null && status >= 500 && settings.onStatuses.includes(status);
  if (failure === 'no_healthy_backend') return false; // there is no other backend
  switch (FAILURE_RULES[failure].retry) {
    case 'never':
      return false;
    case 'other_backend':
      return settings.onConnect;
    case 'idempotent':
      return settings.onReset;
  }
}

function retryAfterMs(value: string | null): number {
  if (value === null) return 0;
  return /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Number.POSITIVE_INFINITY;
}

function no(why: Extract<RetryDecision, { again: false }>['why']): RetryDecision {
  return { again: false, why };
}
