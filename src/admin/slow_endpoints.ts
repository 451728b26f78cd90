/**
 * Endpoints that are slow: against the other endpoints of their cluster, or else against their own last hour. The rule and its
 * bounds are those of `observability/latency_history.ts`.
 */
import { isSlow, type LatencySummary, SLOW } from '../observability/latency_history.ts';

export interface Slow {
  /** p95 of the time to the first byte in the last minute. */
  readonly p95Ms: number;
  readonly expectedMs: number;
  /** `siblings`: the median of the other endpoints. `history`: what was usual in the last hour. */
  readonly against: 'siblings' | 'history';
}

/** The verdict on each endpoint of one cluster, in their order; null: not slow, or too few requests to tell. */
export function findSlow(endpoints: readonly LatencySummary[]): readonly (Slow | null)[] {
  const known = endpoints.flatMap(({ requests, p95Ms }) =>
    p95Ms !== null && requests >= SLOW.requestsMin ? [p95Ms] : [],
  );
  const sorted = known.toSorted((a, b) => a - b);
  return endpoints.map(one => slowOf(one, medianWithout(sorted, one.p95Ms)));
}

function slowOf(one: LatencySummary, siblingsMs: number | null): Slow | null {
  const { p95Ms, usualMs } = one;
  if (p95Ms === null) return null;
  if (siblingsMs !== null && isSlow(one, siblingsMs))
    return { p95Ms, expectedMs: siblingsMs, against: 'siblings' };
  return usualMs !== null && isSlow(one, usualMs) ? { p95Ms, expectedMs: usualMs, against: 'history' } : null;
}

/** The median of the others, the higher one of two; null: there are no others. */
function medianWithout(sorted: readonly number[], own: number | null): number | null {
  const place = own === null ? -1 : sorted.indexOf(own);
  const others = sorted.length - (place === -1 ? 0 : 1);
  if (others === 0) return null;
  const middle = Math.floor(others / 2);
  return sorted[place !== -1 && place <= middle ? middle + 1 : middle] ?? null;
}
