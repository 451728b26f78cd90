/**
 * Explains why more specific routes did not match. It considers routes for the host of the request that take
 * precedence over the chosen one; those whose path matches come first.
 */
import assert from 'node:assert/strict';
import { type Candidate, describeBroken, firstBroken } from './conditions.ts';
import { compareHosts, compareWithinHost, specificityOf } from './matcher.ts';
import { pathMatches } from './pattern.ts';
import type { RoutableRequest, RouteMatch } from './route.ts';

export interface NearRoute<T> {
  readonly value: T;
  readonly reason: string;
}

export const NEAR_ROUTES_MAX = 10;

/** `candidates` are in the order of precedence within a host. */
export function explainMatch<T>(
  candidates: readonly Candidate<T>[],
  chosen: Candidate<T> | null,
  request: RoutableRequest,
): readonly NearRoute<T>[] {
  const chosenHost = chosen === null ? null : bestHost(chosen.match, request.matchHost);
  const before: { candidate: Candidate<T>; host: string | null }[] = [];
  for (const candidate of candidates) {
    const host = bestHost(candidate.match, request.matchHost);
    if (host === undefined) continue;
    const order =
      chosen === null
        ? -1
        : compareHosts(host, chosenHost ?? null) || compareWithinHost(candidate.match, chosen.match);
    if (order < 0) before.push({ candidate, host });
  }
  before.sort((a, b) => compareHosts(a.host, b.host));

  const onPath: NearRoute<T>[] = [];
  const offPath: (NearRoute<T> & { readonly shared: number })[] = [];
  for (const { candidate } of before) {
    const { value, match, conditions } = candidate;
    if (pathMatches(candidate.path, request.matchPath)) {
      const broken = firstBroken(conditions, request);
      assert(broken >= 0, 'a route that matches and comes before the chosen one would have been chosen');
      onPath.push({ value, reason: describeBroken(conditions, broken, request) });
    } else {
      const shared = sharedLength(specificityOf(match).shape, request.matchPath);
      // All paths share the first slash. If a route was chosen, that alone makes no other route interesting.
      if (chosen === null || shared > 1) offPath.push({ value, reason: pathReason(match, request), shared });
    }
  }
  offPath.sort((a, b) => b.shared - a.shared);
  return [...onPath, ...offPath.map(({ value, reason }) => ({ value, reason }))].slice(0, NEAR_ROUTES_MAX);
}

/** The most specific host of the route that fits; null: any host; undefined: none fits. */
function bestHost(match: RouteMatch, host: string): string | null | undefined {
  if (match.hosts.length === 0) return null;
  return match.hosts.filter(pattern => hostMatches(pattern, host)).sort(compareHosts)[0];
}

/** Whether a host of a route, perhaps `*.example.com`, is that of a request (lower case, without port). */
export function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return host === pattern;
  return host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function pathReason({ path }: RouteMatch, { matchPath }: RoutableRequest): string {
  return `path is ${matchPath}, the route requires ${path.kind} ${path.value}`;
}
