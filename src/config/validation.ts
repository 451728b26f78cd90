/** Relations between fields, which no schema of one field can see. All of them are checked, so that one run shows everything. */
import { findConflicts } from '../routing/matcher.ts';
import type { RouteSettings } from '../routing/route.ts';
import { SETTINGS, type Setting, type SettingId } from './defaults.ts';
import type { Document, Path } from './document.ts';
import { nearest, type Problem } from './problems.ts';
import type { ClusterConfig, Config, RouteConfig } from './schema.ts';
import { formatDuration } from './units.ts';

type Report = (path: Path, message: string, didYouMean?: string) => void;

export function relationProblems(config: Config, document: Document): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, message, didYouMean) =>
    problems.push(document.problem('error', path, message, { didYouMean }));
  checkListeners(config, report);
  checkRouteNames(config, report);
  for (const [at, route] of config.routes.entries()) checkRoute(config, route, ['routes', at], report);
  for (const [name, cluster] of Object.entries(config.clusters ?? {}))
    checkCluster(cluster, ['clusters', name], report);
  return problems;
}

/** Routes that tie: asked of the compiled ones, because there the order is defined. */
export function tieProblems(routes: readonly RouteSettings[], config: Config, document: Document): Problem[] {
  const position = new Map(config.routes.map(({ name }, at) => [name, at]));
  return findConflicts(routes).map(pair => {
    const [first = 0, second = 0] = pair
      .map(at => position.get(routes[at]?.name ?? '') ?? 0)
      .sort((a, b) => a - b);
    const elsewhere = document.origin(['routes', first, 'name']) ?? '';
    const message = `route "${config.routes[second]?.name}" ties with route "${config.routes[first]?.name}" (${elsewhere}): both match the same requests and neither is more specific; change a host, path, method, header or query of one of them`;
    return document.problem('error', ['routes', second, 'name'], message);
  });
}

function checkListeners(config: Config, report: Report): void {
  const seen = new Map<string, string>();
  const entries = Object.entries(config.listeners);
  if (entries.length === 0) report(['listeners'], 'there is no listener: nobody could connect');
  for (const [name, listener] of entries) {
    const path = ['listeners', name];
    const other = seen.get(listener.address);
    const anyPort = listener.address.endsWith(':0');
    if (other !== undefined && !anyPort)
      report([...path, 'address'], `listener ${name} has the same address as listener ${other}`);
    seen.set(listener.address, name);
    if (listener.h2c === true && listener.tls !== undefined)
      report([...path, 'h2c'], 'h2c is HTTP/2 without TLS; with tls, HTTP/2 is offered by ALPN: remove h2c');
    if (listener.address === adminAddress(config))
      report([...path, 'address'], `listener ${name} has the address of the admin API`);
  }
}

function adminAddress({ admin }: Config): unknown {
  return typeof admin === 'object' ? admin.address : undefined;
}

function checkRouteNames(config: Config, report: Report): void {
  const seen = new Map<string, number>();
  for (const [at, { name }] of config.routes.entries()) {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, at);
    else
      report(
        ['routes', at, 'name'],
        `the name "${name}" is taken by routes[${first}]; names are unique, because logs and metrics speak of them`,
      );
  }
}

function checkRoute(config: Config, route: RouteConfig, path: Path, report: Report): void {
  const clusters = Object.keys(config.clusters ?? {});
  const listeners = Object.keys(config.listeners);
  const actions = (['forward', 'redirect', 'respond'] as const).filter(action => route[action] !== undefined);
  if (actions.length !== 1)
    report(
      [...path, actions[1] ?? 'name'],
      `route ${route.name} needs exactly one of forward, redirect and respond${actions.length > 1 ? `; it has ${actions.join(' and ')}` : ''}`,
    );
  const wanted = (cluster: string, at: Path): void => {
    if (!clusters.includes(cluster))
      report(
        at,
        `route ${route.name} forwards to the cluster "${cluster}", which does not exist`,
        nearest(cluster, clusters),
      );
  };
  if (route.forward !== undefined) checkForward(route, route.forward, path, wanted, report);
  for (const [at, listener] of (route.listeners ?? []).entries()) {
    if (!listeners.includes(listener))
      report(
        [...path, 'listeners', at],
        `route ${route.name} is served on the listener "${listener}", which does not exist`,
        nearest(listener, listeners),
      );
  }
  const { rewrite } = route;
  if (
    rewrite?.replacePath !== undefined &&
    (rewrite.stripPrefix ?? rewrite.addPrefix ?? rewrite.regex) !== undefined
  ) {
    report(
      [...path, 'rewrite', 'replacePath'],
      'replacePath replaces the whole path; stripPrefix, addPrefix and regex beside it would say nothing',
    );
  }
  if (actions[0] !== 'forward') {
    for (const key of ['rewrite', 'retries'] as const)
      if (route[key] !== undefined)
        report([...path, key], `route ${route.name} does not forward: ${key} would say nothing`);
  }
  if (
    route.respond !== undefined &&
    [204, 304].includes(route.respond.status) &&
    (route.respond.body ?? '') !== ''
  )
    report(
      [...path, 'respond', 'body'],
      `an answer with status ${route.respond.status} has no body (RFC 9110 section 6.4.1)`,
    );
  checkRouteTimes(config, route, path, report);
}

function checkForward(
  route: RouteConfig,
  forward: NonNullable<RouteConfig['forward']>,
  path: Path,
  wanted: (cluster: string, at: Path) => void,
  report: Report,
): void {
  const { cluster, split } = forward;
  if ((cluster === undefined) === (split === undefined))
    report([...path, 'forward'], `forward of route ${route.name} needs exactly one of cluster and split`);
  if (cluster !== undefined) wanted(cluster, [...path, 'forward', 'cluster']);
  for (const [at, target] of (split ?? []).entries())
    wanted(target.cluster, [...path, 'forward', 'split', at, 'cluster']);
  if (split !== undefined && split.every(({ weight }) => weight === 0))
    report(
      [...path, 'forward', 'split'],
      `the weights of route ${route.name} are all 0: no request could go anywhere`,
    );
}

/** A timeout inside another one must be shorter, or it can never fire. Only pairs of which one is written are worth a word. */
function checkRouteTimes(config: Config, route: RouteConfig, path: Path, report: Report): void {
  const { timeouts, retries } = route;
  for (const listener of route.listeners ?? Object.keys(config.listeners)) {
    const requestMs = effective(
      timeouts?.request ?? config.listeners[listener]?.timeouts?.request,
      'listener.request',
    );
    const inner: [Path, string, number | null | undefined, SettingId][] = [
      [[...path, 'timeouts', 'responseHead'], 'responseHead', timeouts?.responseHead, 'route.responseHead'],
      [[...path, 'retries', 'perTry'], 'perTry', retries?.perTry, 'retries.perTry'],
    ];
    for (const [at, name, written, id] of inner) {
      const innerMs = effective(written, id);
      if (
        (written === undefined && timeouts?.request === undefined) ||
        innerMs === null ||
        requestMs === null ||
        innerMs <= requestMs
      )
        continue;
      const place = written === undefined ? [...path, 'timeouts', 'request'] : at;
      report(
        place,
        `${name} (${formatDuration(innerMs)}) is longer than request (${formatDuration(requestMs)}), which would always fire first`,
      );
      return;
    }
  }
  const backoff = retries?.backoff;
  const baseMs = effective(backoff?.base, 'retries.backoff.base') ?? 0;
  const maxMs = effective(backoff?.max, 'retries.backoff.max') ?? 0;
  if (baseMs > maxMs)
    report(
      [...path, 'retries', 'backoff'],
      `backoff base (${formatDuration(baseMs)}) is longer than max (${formatDuration(maxMs)})`,
    );
}

function checkCluster(cluster: ClusterConfig, path: Path, report: Report): void {
  const addresses = new Map<string, number>();
  for (const [at, endpoint] of cluster.endpoints.entries()) {
    const address = typeof endpoint === 'string' ? endpoint : endpoint.address;
    const first = addresses.get(address);
    if (first !== undefined)
      report(
        [...path, 'endpoints', at],
        `the endpoint ${address} is already endpoints[${first}]; give it a weight instead`,
      );
    addresses.set(address, at);
  }
  if (cluster.endpoints.every(endpoint => typeof endpoint !== 'string' && endpoint.weight === 0))
    report([...path, 'endpoints'], 'the weights are all 0: the cluster could serve nothing');
  if (cluster.protocol === 'h2c' && cluster.tls !== undefined)
    report([...path, 'protocol'], 'h2c is HTTP/2 without TLS; with tls write protocol: http2');
  if (cluster.protocol === 'http2' && cluster.tls === undefined)
    report([...path, 'protocol'], 'http2 needs tls; without TLS write protocol: h2c');
  if ((cluster.tls?.certFile === undefined) !== (cluster.tls?.keyFile === undefined))
    report([...path, 'tls'], 'certFile and keyFile belong together');
  const active = cluster.health?.active;
  if (typeof active !== 'object') return;
  if ((active.path === undefined) === (active.tcp === undefined))
    report([...path, 'health', 'active'], 'an active check needs exactly one of path and tcp: true');
  if (active.tcp === true && active.expect !== undefined)
    report([...path, 'health', 'active', 'expect'], 'a tcp check gets no status to expect');
  const timeoutMs = effective(active.timeout, 'health.active.timeout') ?? 0;
  const intervalMs = effective(active.interval, 'health.active.interval') ?? 0;
  if (timeoutMs > intervalMs) {
    report(
      [...path, 'health', 'active', active.timeout === undefined ? 'interval' : 'timeout'],
      `timeout (${formatDuration(timeoutMs)}) is longer than interval (${formatDuration(intervalMs)})`,
    );
  }
}

function effective(written: number | null | undefined, id: SettingId): number | null {
  return written === undefined ? (SETTINGS[id] as Setting).value : written;
}
