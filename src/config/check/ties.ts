/**
 * Routes that match the same request without one being more specific: `routing/matcher` finds them, this reports
 * where they are.
 */
import { findConflicts } from '../../routing/matcher.ts';
import type { RouteMatch, RouteSettings } from '../../routing/route.ts';
import type { Problem } from '../problems.ts';
import type { Document } from '../text/document.ts';

export type NumberedRoute = Pick<RouteSettings, 'match' | 'listeners' | 'name'> & {
  /** Its index in the file. */
  readonly at: number;
};

/** Takes the routes in the order of the file. Reports one problem per route, with the first route that it ties with. */
export function tieProblems(routes: readonly NumberedRoute[], document: Document): Problem[] {
  const firstOf = new Map<NumberedRoute, NumberedRoute>();
  for (const [a, b] of findConflicts(routes)) {
    const [one, two] = [routes[Math.min(a, b)], routes[Math.max(a, b)]];
    if (one === undefined || two === undefined) continue;
    const known = firstOf.get(two);
    if (known === undefined || one.at < known.at) firstOf.set(two, one);
  }
  return [...firstOf].map(([route, first]) => {
    const line = document.line(['routes', first.at, 'name']);
    const message = `route ${route.name} is ambiguous with route ${first.name} on line ${line}: both match ${describe(route.match)} and neither is more specific; distinguish them by host, path, method, header or query`;
    return document.problem('error', ['routes', route.at, 'name'], message);
  });
}

function describe({ hosts, path, methods }: RouteMatch): string {
  const method = methods.length === 0 ? '' : `${methods.join('|')} `;
  const host = hosts.length === 0 ? 'any host' : hosts.join(' or ');
  return `${method}${path.kind} ${path.value} on ${host}`;
}
