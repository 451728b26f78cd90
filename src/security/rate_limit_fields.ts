/**
 * The response fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11). They describe the
 * tightest limit of the request: the refusing one with the longest wait, otherwise the one with the fewest requests left.
 *
 * `q` is the burst, `w` the time in which a used burst is restored, `r` the rest of the burst. `t` is the time until the burst
 * is fully restored or, with nothing left, until the next request is admitted, which is never after `Retry-After`.
 */
import { intervalOf, type RateLimitSettings } from './rate_limit.ts';

/** The decision of one limit for one request. */
export interface LimitOutcome {
  readonly settings: RateLimitSettings;
  readonly retryAfterMs: number;
  readonly left: number;
  readonly resetMs: number;
}

/** Flat list of fields; null: none. Limits in shadow mode are left out, because they refuse nothing. */
export function rateLimitFields(outcomes: readonly LimitOutcome[]): readonly string[] | null {
  let tightest: LimitOutcome | null = null;
  for (const outcome of outcomes) {
    const { headers, mode } = outcome.settings;
    if (headers === 'off' || mode === 'shadow') continue;
    if (tightest === null || isTighter(outcome, tightest)) tightest = outcome;
  }
  if (tightest === null) return null;
  const { settings, left, resetMs } = tightest;
  const { name, burst } = settings;
  const intervalMs = intervalOf(settings);
  const windowMs = left === 0 ? resetMs - intervalMs * (burst - 1) : resetMs;
  const policy = `"${name}";q=${burst};w=${seconds(intervalMs * burst)}`;
  return ['RateLimit-Policy', policy, 'RateLimit', `"${name}";r=${left};t=${seconds(windowMs)}`];
}

function isTighter(one: LimitOutcome, other: LimitOutcome): boolean {
  if (one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs;
  if (one.left !== other.left) return one.left < other.left;
  return one.resetMs > other.resetMs;
}

/** Whole seconds, rounded up as `Retry-After` is. */
function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
