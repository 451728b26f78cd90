/** Requests that come back: an endpoint that is one of our own listeners, and a redirect to where it comes from. */
import { type Address, formatAddress, isLoopback } from '../../net/address.ts';
import { buildRedirect, expandRedirect } from '../../routing/rewrite.ts';
import type { RouteSettings } from '../../routing/route.ts';
import { buildRouter, type Router } from '../../routing/router.ts';
import type { Plan } from '../plan.ts';
import type { Path } from '../text/path.ts';

type Warn = (path: Path, message: string) => void;

export function lintLoops(plan: Plan, placeOf: (route: string) => number, warn: Warn): void {
  lintEndpoints(plan, warn);
  lintRedirects(plan, placeOf, warn);
}

/** A request that this process has forwarded to itself is answered with 508, whichever listener it comes to. */
function lintEndpoints({ clusters, listeners }: Plan, warn: Warn): void {
  for (const [name, { endpoints }] of Object.entries(clusters)) {
    for (const [at, { address }] of endpoints.entries()) {
      const own = Object.values(listeners).find(listener => reaches(address, listener.address));
      if (own === undefined) continue;
      warn(
        ['clusters', name, 'endpoints', at],
        `endpoint ${formatAddress(address)} of cluster ${name} is listener ${own.name} of this proxy: its requests would come back and be answered with 508 loop_detected`,
      );
    }
  }
}

const EVERY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

function reaches(to: Address, listener: Address): boolean {
  if (to.kind === 'unix') return listener.kind === 'unix' && to.path === listener.path;
  if (to.kind !== 'tcp' || listener.kind !== 'tcp' || to.port !== listener.port) return false;
  if (to.host === listener.host) return true;
  const isLocal = isLoopback(to) || EVERY_ADDRESS.includes(to.host);
  if (EVERY_ADDRESS.includes(listener.host)) return isLocal;
  return to.host === 'localhost' && isLoopback(listener);
}

function lintRedirects({ routes, listeners }: Plan, placeOf: (route: string) => number, warn: Warn): void {
  const redirects = routes.filter(({ action }) => action.kind === 'redirect');
  if (redirects.length === 0) return;
  for (const { name, tls, address, trustedProxies, proxyProtocol } of Object.values(listeners)) {
    const served = routes.filter(route => route.listeners[name] !== undefined);
    const router = buildRouter(served.map(route => ({ match: route.match, value: route })));
    // Behind a proxy the scheme and the port of the client may be others.
    const isBehind = trustedProxies.length > 0 || proxyProtocol !== null;
    const scheme = isBehind ? null : tls === null ? 'http' : 'https';
    const port = address.kind === 'tcp' ? address.port : 0;
    for (const route of served) {
      if (route.action.kind !== 'redirect' || !returns(route, router, scheme, port)) continue;
      warn(
        ['routes', placeOf(route.name), 'redirect', 'to'],
        `route ${route.name} redirects to itself on listener ${name}: a client would follow ${route.action.to} in circles`,
      );
    }
  }
}

/** Whether a request of the route, redirected, is one of the same route again. */
function returns(
  route: RouteSettings,
  router: Router<RouteSettings>,
  scheme: 'http' | 'https' | null,
  port: number,
): boolean {
  const path = samplePath(route.match.path);
  if (route.action.kind !== 'redirect' || path === null) return false;
  const host = (route.match.hosts[0] ?? 'host.invalid').replace(/^\*\./, 'any.');
  const ask = (matchHost: string, matchPath: string): boolean =>
    router.match({
      method: route.match.methods[0] ?? 'GET',
      matchHost,
      authority: matchHost,
      matchPath,
      query: '',
      headers: [],
    }) === route;
  // Conditions on headers or the query cannot be guessed.
  if (!ask(host, path)) return false;
  const target = expandRedirect(buildRedirect(route.action.to), { path, query: '', authority: host });
  const url = URL.parse(target, `x://${host}`);
  if (url === null) return false;
  if (url.protocol !== 'x:') {
    if (url.protocol !== `${scheme}:`) return false;
    if (url.port !== '' && Number(url.port) !== port) return false;
  }
  return ask(url.hostname.toLowerCase(), url.pathname || '/');
}

/** A path that a condition matches; null if none can be made without effort. */
function samplePath({ kind, value }: RouteSettings['match']['path']): string | null {
  if (kind === 'regex') return null;
  if (kind === 'exact') return value;
  if (kind === 'prefix') return value === '/' ? '/any' : `${value}/any`;
  return value.replace(/\{\w+\}/g, 'any').replace('**', 'any');
}
