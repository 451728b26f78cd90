/**
 * The rate limits of one request. Those of this process are asked and charged synchronously. Those of a shared store take
 * time; meanwhile the charge of the others stands, and it is given back if the store refuses.
 */
import type { AskedLimit } from '../observability/events.ts';
import type { Failure } from '../resilience/failure.ts';
import type { StoreAnswer } from '../security/limit_store.ts';
import type { StoreLimits } from '../security/limits_in_store.ts';
import type {
  RateLimitDecision,
  RateLimited,
  RateLimiter,
  RateLimitSettings,
} from '../security/rate_limit.ts';
import { type LimitOutcome, rateLimitFields } from '../security/rate_limit_fields.ts';
import type { RequestHead } from '../security/request_head.ts';
import type { BoundRoute } from './data_plane.ts';
import type { RoutingContext } from './request.ts';

/** Charges that are given back if a shared limit refuses. */
export type Charged = readonly { readonly limiter: RateLimiter; readonly decision: RateLimitDecision }[];

const NOTHING_CHARGED: Charged = [];

/**
 * Every limit of this process is asked, and charged only if all enforced limits admit: a request that one limit refuses does
 * not use up the others.
 */
export function askLimits(context: RoutingContext, route: BoundRoute, head: RequestHead): Failure | Charged {
  const { rateLimiters } = route;
  if (rateLimiters.length === 0) return NOTHING_CHARGED;
  const request = limited(context, head);
  const decisions = rateLimiters.map(limiter => ({ limiter, decision: limiter.decide(request) }));
  const outcomes = decisions.map(({ limiter, decision }) => outcomeOf(limiter.settings, decision));
  const refusal = record(context, outcomes);
  if (refusal !== null) return refusal;
  const charged = decisions.filter(({ decision }) => decision.retryAfterMs === 0);
  for (const { limiter, decision } of charged) limiter.take(decision);
  return charged;
}

export function giveBack(charged: Charged): void {
  for (const { limiter, decision } of charged) limiter.giveBack(decision);
}

export function limited({ clientIp }: RoutingContext, { authority, headers }: RequestHead): RateLimited {
  return { clientIp, authority, headers };
}

/** The store itself has charged the request if all its enforced limits admit it. */
export function judgeStoreAnswer(
  context: RoutingContext,
  { store, limits }: StoreLimits,
  answer: StoreAnswer,
): Failure | null {
  if (answer.kind === 'answered')
    return record(
      context,
      answer.answers.map((said, at) => outcomeOf(limits[at] as RateLimitSettings, said)),
    );
  const { name, onError } = store.settings;
  const isAdmitted = onError === 'allow';
  const unasked = limits.map(
    ({ name: limiter, mode }): AskedLimit => ({ limiter, mode, admitted: isAdmitted, left: null }),
  );
  context.limitsAsked = [...(context.limitsAsked ?? []), ...unasked];
  return isAdmitted ? null : { kind: 'limit_store_failed', store: name, cause: answer.cause };
}

function outcomeOf(
  settings: RateLimitSettings,
  { retryAfterMs, left, resetMs }: Omit<LimitOutcome, 'settings'>,
): LimitOutcome {
  return { settings, retryAfterMs, left, resetMs };
}

type RateLimitedFailure = Extract<Failure, { kind: 'rate_limited' }>;

/** Of several refusals, the one with the longest wait is returned. */
function record(context: RoutingContext, outcomes: readonly LimitOutcome[]): Failure | null {
  let refusal: RateLimitedFailure | null = null;
  const asked: AskedLimit[] = [];
  for (const { settings, retryAfterMs, left } of outcomes) {
    const { name, mode } = settings;
    if (retryAfterMs > 0) context.services.telemetry.rateLimited(name, mode);
    if (retryAfterMs > 0 && mode === 'enforce' && (refusal === null || refusal.retryAfterMs < retryAfterMs))
      refusal = { kind: 'rate_limited', limiter: name, retryAfterMs };
    asked.push({ limiter: name, mode, admitted: retryAfterMs === 0, left });
  }
  context.limitsAsked = context.limitsAsked === null ? asked : [...context.limitsAsked, ...asked];
  context.limitOutcomes = context.limitOutcomes === null ? outcomes : [...context.limitOutcomes, ...outcomes];
  context.rateLimitFields = rateLimitFields(context.limitOutcomes);
  return refusal;
}
