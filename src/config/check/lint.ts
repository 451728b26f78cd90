/** Warnings about settings that are allowed and probably not intended, each with its position. */
import { normalizePathLiteral } from '../../routing/pattern.ts';
import type { Plan } from '../plan.ts';
import type { Problem } from '../problems.ts';
import type { Config } from '../schema/schema.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';
import { formatDuration } from '../units.ts';
import { lintCertificateHosts } from './certificate_hosts.ts';
import { lintClientIdentity } from './client_identity.ts';
import { findEvadedGuards } from './guards.ts';
import { lintLoops } from './loops.ts';
import { lintMatches } from './match_mistakes.ts';
import { lintTls } from './tls.ts';
import { findUnreachable } from './unreachable.ts';

type Warn = (path: Path, message: string) => void;

export function lint(config: Config, plan: Plan, document: Document): Problem[] {
  const warnings: Problem[] = [];
  const warn: Warn = (path, message) => {
    warnings.push(document.problem('warning', path, message, { at: 'key' }));
  };
  lintClusters(config, plan, warn);
  lintRoutes(config, plan, warn);
  const places = new Map(config.routes.map(({ name }, at) => [name, at]));
  const placeOf = (route: string): number => places.get(route) ?? 0;
  lintClientIdentity(plan, placeOf, warn);
  lintMatches(config.routes, warn);
  lintLoops(plan, placeOf, warn);
  lintCertificateHosts(plan, placeOf, warn);
  lintPerAddress(config, plan, warn);
  lintStores(plan, warn);
  lintLogins(config, plan, warn);
  lintProcess(config, warn);
  lintLogging(plan, warn);
  for (const [name, { tls }] of Object.entries(config.listeners)) {
    const settings = plan.listeners[name]?.tls ?? null;
    if (tls !== undefined && settings !== null) lintTls(['listeners', name, 'tls'], tls, settings, warn);
  }
  return warnings;
}

function lintClusters(config: Config, plan: Plan, warn: Warn): void {
  const used = new Set(
    plan.routes.flatMap(({ action }) =>
      action.kind === 'forward' ? action.targets.map(({ cluster }) => cluster) : [],
    ),
  );
  for (const [name, cluster] of Object.entries(plan.clusters)) {
    const path = ['clusters', name];
    if (!used.has(name)) warn(path, `no route uses cluster ${name}`);
    if (cluster.endpoints.length > 1 && config.clusters?.[name]?.health?.active === undefined) {
      warn(
        path,
        `cluster ${name} has several endpoints and no active health check: a failed endpoint is only detected when requests to it fail; add health.active, or write active: off`,
      );
    }
    if (cluster.tls?.verify === false) {
      warn(
        [...path, 'tls', 'verify'],
        `cluster ${name} accepts any certificate: anyone on the network path can read and change its traffic; use caFile for a private certificate authority`,
      );
    }
  }
}

function lintRoutes(config: Config, plan: Plan, warn: Warn): void {
  if (config.routes.length === 0) warn(['routes'], 'there are no routes: every request gets a 404');
  const places = new Map(config.routes.map(({ name }, at) => [name, at]));
  for (const { route, why } of findUnreachable(plan.routes)) {
    warn(['routes', places.get(route) ?? 0, 'name'], `route ${route} can never match: ${why}`);
  }
  for (const { guard, spelling, open, setting } of findEvadedGuards(plan)) {
    warn(
      ['routes', places.get(guard) ?? 0, 'name'],
      `route ${guard} keeps requests out, but ${spelling} reaches route ${open}; if its backend takes that for the same path, set ${setting} to fold or reject`,
    );
  }
  for (const [at, { name, match, rewrite }] of config.routes.entries()) {
    const written = match?.path?.prefix ?? match?.path?.exact;
    const strip = rewrite?.stripPrefix;
    if (strip === undefined || written === undefined || isBelow(written, strip)) continue;
    warn(
      ['routes', at, 'rewrite', 'stripPrefix'],
      `stripPrefix of route ${name} never has an effect: ${written} does not begin with ${strip}`,
    );
  }
}

/** By segment: `/api/v1` is below `/api`, `/apis` is not. */
function isBelow(path: string, prefix: string): boolean {
  const [a, b] = [path, prefix].map(text => `${normalizePathLiteral(text).replace(/\/+$/, '')}/`);
  return a !== undefined && b !== undefined && (a.startsWith(b) || b.startsWith(a));
}

function lintStores({ routes, stores }: Plan, warn: Warn): void {
  const used = new Set(routes.flatMap(({ rateLimits }) => rateLimits.map(({ store }) => store)));
  for (const [name, { tls }] of Object.entries(stores)) {
    if (!used.has(name)) warn(['stores', name], `no rate limit uses store ${name}`);
    if (tls?.verify === false)
      warn(
        ['stores', name, 'tls', 'verify'],
        `store ${name} accepts any certificate: anyone on the network path can impersonate it; use caFile for a private certificate authority`,
      );
  }
}

/** `trustedProxies` or `proxyProtocol` mean that a load balancer is in front, and TLS may end there. */
function lintLogins(config: Config, plan: Plan, warn: Warn): void {
  for (const [at, { name, basicAuth }] of config.routes.entries()) {
    if (basicAuth === undefined) continue;
    const route = plan.routes.find(one => one.name === name);
    if (route === undefined) continue;
    const open = Object.keys(route.listeners).find(listener => isInClear(plan.listeners[listener]));
    if (open !== undefined)
      warn(
        ['routes', at, 'basicAuth'],
        `passwords for route ${name} cross the network in clear on listener ${open}; give it tls, or trustedProxies if TLS ends before it`,
      );
  }
}

function isInClear(listener: Plan['listeners'][string] | undefined): boolean {
  if (listener === undefined || listener.tls !== null) return false;
  const { address, trustedProxies, proxyProtocol } = listener;
  if (trustedProxies.length > 0 || proxyProtocol !== null) return false;
  return address.kind === 'tcp' && !/^(?:127\.|::1$|localhost$)/.test(address.host);
}

/** Trusted proxies are exempt from `connectionsPerIp`: behind them it limits nobody. */
function lintPerAddress(config: Config, { listeners, routes }: Plan, warn: Warn): void {
  for (const [name, { limits }] of Object.entries(config.listeners)) {
    const listener = listeners[name];
    if (typeof limits?.connectionsPerIp !== 'number' || listener === undefined) continue;
    if (listener.trustedProxies.length === 0 || listener.proxyProtocol !== null) continue;
    const served = routes.filter(route => route.listeners[name] !== undefined);
    if (served.some(({ rateLimits }) => rateLimits.some(({ key }) => key.kind === 'clientIp'))) continue;
    warn(
      ['listeners', name, 'limits', 'connectionsPerIp'],
      `connectionsPerIp of listener ${name} does not count trustedProxies, so clients behind them have no limit of their own; add rateLimits with key: clientIp to its routes`,
    );
  }
}

function lintProcess(config: Config, warn: Warn): void {
  const drainMs = config.process?.drain?.timeout;
  const written = [...Object.values(config.listeners), ...config.routes].map(
    ({ timeouts }) => timeouts?.request ?? 0,
  );
  const longestMs = written.reduce((a, b) => Math.max(a, b), 0);
  if (drainMs !== undefined && drainMs !== null && drainMs < longestMs) {
    warn(
      ['process', 'drain', 'timeout'],
      `requests may take ${formatDuration(longestMs)}, but a shutdown cuts them off after ${formatDuration(drainMs)}`,
    );
  }
}

function lintLogging({ logging }: Plan, warn: Warn): void {
  const { format, time, access } = logging;
  if (format === 'pretty' && access.format !== 'json')
    warn(
      ['logging', 'access', 'format'],
      `logging.access.format: ${access.format} has no effect, because logging.format is pretty; remove one of them`,
    );
  else if (time === 'iso' && access.format !== 'json')
    warn(
      ['logging', 'time'],
      `logging.time has no effect on the format ${access.format}, which has its own form of the time; remove it`,
    );
}
