/**
 * What a response tells of the rate limits of its request: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11). Of several limits the tightest speaks: one that refuses, with the longest
 * wait, else the one with the fewest requests left.
 *
 * `q` is the burst and `w` the time in which it comes back; `r` is what is left of it. `t` is the time until all of it is
 * back, and with nothing left the time until the next request is admitted, which is never after `Retry-After`.
 */
import { intervalOf, type RateLimitSettings } from './rate_limit.ts';

/** What one limit said to one request. */
export interface LimitOutcome {
  readonly settings: RateLimitSettings;
  readonly retryAfterMs: number;
  readonly left: number;
  readonly resetMs: number;
}

/** Flat list of fields; null where no limit tells of itself. A limit in shadow holds for nobody, and is not told. */
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
