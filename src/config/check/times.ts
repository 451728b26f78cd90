/**
 * Finds timeouts that can never fire because a timeout around them is shorter. Only written values are judged: a
 * default never makes a file invalid, nor one of `defaults` beside a value of the item itself.
 */
import { NUMBERS, type NumberId, type NumberSetting } from '../schema/defaults.ts';
import type { ListenerConfig } from '../schema/listener.ts';
import { presetNumber } from '../schema/presets.ts';
import type { RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';
import { formatDuration } from '../units.ts';
import type { Relations } from './relations.ts';

export function checkTimes(relations: Relations): void {
  const { config, report } = relations;
  const { history, probation } = config.process?.reload ?? {};
  if (history === 1 && typeof probation === 'object')
    report(
      ['process', 'reload', 'history'],
      'with a history of 1 there is no earlier plan for the probation to roll back to; keep at least 2',
    );
  for (const [at, route] of config.routes.entries()) checkRoute(route, ['routes', at], relations);
  const users = usersByCluster(config.routes);
  for (const [name, cluster] of Object.entries(config.clusters ?? {})) {
    const path = ['clusters', name];
    checkPool(name, path, users.get(name) ?? [], relations);
    const active = cluster.health?.active;
    if (typeof active !== 'object') continue;
    const interval = effective(active.interval, 'clusters.health.active.interval');
    const at = [...path, 'health', 'active'];
    if (
      isLonger(active.timeout, interval.ms) &&
      isMeant([...at, 'timeout'], [...at, 'interval'], relations)
    ) {
      report(
        [...at, 'timeout'],
        `the timeout of the active check (${shown(active.timeout)}) is longer than its interval (${interval.shown})`,
      );
    }
  }
}

function checkRoute(route: RouteConfig, path: Path, relations: Relations): void {
  const { timeouts, retries } = route;
  const request = longestRequest(route, path, relations);
  const inner: [Path, number | null | undefined][] = [
    [['timeouts', 'responseHead'], timeouts?.responseHead],
    [['retries', 'perTry'], retries?.perTry],
  ];
  for (const [at, written] of inner) {
    if (request === null || !isLonger(written, request.ms)) continue;
    if (!isMeant([...path, ...at], [...path, 'timeouts', 'request'], relations)) continue;
    relations.report(
      [...path, ...at],
      `${at.at(-1)} of route ${route.name} (${shown(written)}) is longer than its request timeout (${request.shown}), which always fires first`,
    );
  }
  const { base, max } = retries?.backoff ?? {};
  const longest = effective(max, 'routes.retries.backoff.max');
  const shortest = effective(base, 'routes.retries.backoff.base');
  const backoff = [...path, 'retries', 'backoff'];
  const [judged, other] = base === undefined ? ['max', 'base'] : ['base', 'max'];
  if (
    isLonger(shortest.ms, longest.ms) &&
    (base ?? max) !== undefined &&
    isMeant([...backoff, judged], [...backoff, other], relations)
  ) {
    relations.report(
      [...backoff, judged],
      `the base of the retry backoff (${shortest.shown}) is longer than its max (${longest.shown})`,
    );
  }
}

/** An inherited value is compared with another inherited one: beside a value of the item itself it is a default. */
function isMeant(judged: Path, other: Path, { isInherited }: Relations): boolean {
  return !isInherited(judged) || isInherited(other);
}

interface User {
  readonly route: RouteConfig;
  readonly path: Path;
}

/** The forwarding routes of each cluster, in one pass: a search for each cluster would take clusters times routes. */
function usersByCluster(routes: readonly RouteConfig[]): Map<string, User[]> {
  const users = new Map<string, User[]>();
  for (const [at, route] of routes.entries()) {
    const { cluster, split } = route.forward ?? {};
    const targets = new Set((split ?? []).map(target => target.cluster));
    if (cluster !== undefined) targets.add(cluster);
    for (const target of targets) {
      const known = users.get(target);
      if (known === undefined) users.set(target, [{ route, path: ['routes', at] }]);
      else known.push({ route, path: ['routes', at] });
    }
  }
  return users;
}

/** The waits of a pool are part of the request timeout of every route that forwards to the cluster. */
function checkPool(name: string, path: Path, users: readonly User[], relations: Relations): void {
  const { config, report, isLost } = relations;
  const pool = config.clusters?.[name]?.pool;
  if (pool === undefined || isLost(['routes'])) return;
  const requests = users.map(user => longestRequest(user.route, user.path, relations));
  const [first, ...rest] = requests;
  if (first === undefined) return;
  const longest = rest.reduce((a, b) => (a === null || b === null ? null : longerOf(a, b)), first);
  for (const key of ['connectTimeout', 'queueTimeout'] as const) {
    const written = pool[key];
    if (longest === null || !isLonger(written, longest.ms)) continue;
    if (relations.isInherited([...path, 'pool', key])) continue;
    report(
      [...path, 'pool', key],
      `${key} of cluster ${name} (${shown(written)}) is longer than the request timeout of every route that forwards to it (at most ${longest.shown}), which always fires first`,
    );
  }
}

interface Effective {
  /** Null: off. */
  readonly ms: number | null;
  readonly shown: string;
}

/** Over all listeners of a route; null if it is not known. */
function longestRequest(route: RouteConfig, path: Path, { config, isLost }: Relations): Effective | null {
  if (isLost([...path, 'timeouts'])) return null;
  if (route.timeouts?.request !== undefined)
    return effective(route.timeouts.request, 'listeners.timeouts.request');
  let longest: Effective | null = null;
  for (const name of route.listeners ?? Object.keys(config.listeners)) {
    if (isLost(['listeners', name, 'timeouts']) || !Object.hasOwn(config.listeners, name)) return null;
    const found = requestOf(config.listeners[name]);
    longest = longest === null ? found : longerOf(longest, found);
  }
  return longest;
}

function requestOf(listener: ListenerConfig | undefined): Effective {
  const id = 'listeners.timeouts.request';
  const written = listener?.timeouts?.request;
  const ms = written === undefined ? presetNumber(listener, id) : undefined;
  return ms === undefined
    ? effective(written, id)
    : { ms, shown: `${shown(ms)}, of the preset ${listener?.preset}` };
}

function effective(written: number | null | undefined, id: NumberId): Effective {
  if (written !== undefined) return { ms: written, shown: shown(written) };
  const { value }: NumberSetting = NUMBERS[id];
  return { ms: value, shown: `${shown(value)}, the default` };
}

/** The longer of two timeouts; `off` is longer than any. */
function longerOf(a: Effective, b: Effective): Effective {
  return a.ms === null || (b.ms !== null && b.ms <= a.ms) ? a : b;
}

/** Whether a written inner timeout can never fire. One that is off is not meant to. */
function isLonger(inner: number | null | undefined, outer: number | null): boolean {
  return inner !== undefined && inner !== null && outer !== null && inner > outer;
}

function shown(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? 'off' : formatDuration(ms);
}
