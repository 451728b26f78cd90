/** Where a request that no route of its listener matches might have been meant to go: other hosts, other listeners. */

import { nearest } from '../config/nearest.ts';
import type { Plan } from '../config/plan.ts';
import { formatAddress } from '../net/address.ts';
import { buildConditions, firstBroken } from '../routing/conditions.ts';
import { hostMatches } from '../routing/explain_match.ts';
import { specificityOf } from '../routing/matcher.ts';
import { pathMatches } from '../routing/pattern.ts';
import type { RoutableRequest, RouteMatch } from '../routing/route.ts';
import { buildRouter } from '../routing/router.ts';
import { listText } from './name_list.ts';

/** Hosts and routes that are listed; more are only counted. */
const LISTED_MAX = 10;

export interface Elsewhere {
  /** Of the request, as routes see it: lower case, without port. */
  readonly host: string;
  /** Hosts that routes of the listener are for, the first ten. */
  readonly hosts: readonly string[];
  readonly hostsTotal: number;
  /** Whether a route of the listener is for this host, or for any host. */
  readonly hostKnown: boolean;
  /** The known host that is written almost like the one of the request. */
  readonly didYouMean: string | null;
  /** Routes of the listener that would match if the host were one of theirs. */
  readonly otherHosts: readonly { readonly route: string; readonly hosts: readonly string[] }[];
  /** Routes that would match on another listener. */
  readonly otherListeners: readonly {
    readonly listener: string;
    readonly address: string;
    readonly route: string;
  }[];
}

export function findElsewhere(plan: Plan, listener: string, request: RoutableRequest): Elsewhere {
  const served = plan.routes.filter(route => route.listeners[listener] !== undefined);
  const hosts = [...new Set(served.flatMap(({ match }) => match.hosts))].sort();
  const host = request.matchHost;
  return {
    host,
    hosts: hosts.slice(0, LISTED_MAX),
    hostsTotal: hosts.length,
    hostKnown: served.some(({ match }) => isFor(match, host)),
    didYouMean: nearest(host, hosts) ?? null,
    otherHosts: served
      .filter(({ match }) => matchesButHost(match, request))
      .slice(0, LISTED_MAX)
      .map(({ name, match }) => ({ route: name, hosts: match.hosts.slice(0, LISTED_MAX) })),
    otherListeners: otherListeners(plan, listener, request),
  };
}

function otherListeners(plan: Plan, but: string, request: RoutableRequest): Elsewhere['otherListeners'] {
  return Object.values(plan.listeners)
    .filter(({ name }) => name !== but)
    .flatMap(({ name, address }) => {
      const routes = plan.routes.filter(route => route.listeners[name] !== undefined);
      const route = buildRouter(routes.map(({ match, name: value }) => ({ match, value }))).match(request);
      return route === null ? [] : [{ listener: name, address: formatAddress(address), route }];
    })
    .slice(0, LISTED_MAX);
}

function isFor({ hosts }: RouteMatch, host: string): boolean {
  return hosts.length === 0 || hosts.some(pattern => hostMatches(pattern, host));
}

/** No route matches the request, so one that fits in everything else is for another host. */
function matchesButHost(match: RouteMatch, request: RoutableRequest): boolean {
  return (
    pathMatches(specificityOf(match).path, request.matchPath) &&
    firstBroken(buildConditions(match), request) < 0
  );
}

/** Sentences for people; none where nothing is known. */
export function renderElsewhere(elsewhere: Elsewhere, listener: string): string[] {
  const { host, hosts, hostsTotal, hostKnown, didYouMean, otherHosts, otherListeners } = elsewhere;
  const lines: string[] = [];
  const meant = didYouMean === null ? '' : `; did you mean ${didYouMean}?`;
  if (!hostKnown && hostsTotal === 0) lines.push(`no route is served on listener ${listener}`);
  else if (!hostKnown) {
    const none = `no route of listener ${listener} is for ${host === '' ? 'a request without host' : `the host ${host}`}`;
    lines.push(none, `known hosts: ${listText(hosts, LISTED_MAX, hostsTotal)}${meant}`);
  } else if (didYouMean !== null) lines.push(`another known host: did you mean ${didYouMean}?`);
  for (const { route, hosts: itsHosts } of otherHosts)
    lines.push(`route ${route} would match for the host ${listText(itsHosts, 3)}`);
  for (const { listener: other, address, route } of otherListeners)
    lines.push(`route ${route} would match on listener ${other} (${address})`);
  return lines;
}
