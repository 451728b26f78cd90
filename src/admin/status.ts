/** The state of the running process: `/status`. */
import type { BoundCluster, BoundRoute, DataPlane } from '../http/data_plane.ts';
import type { Runtime } from '../lifecycle/runtime_state.ts';
import type { Backend } from '../load_balancer/backend.ts';
import { formatAddress } from '../net/address.ts';
import type { LatencySummary } from '../observability/latency_history.ts';
import { TrafficStats } from '../observability/traffic_stats.ts';
import type { RouteSettings } from '../routing/route.ts';
import type { LimitStore } from '../security/limit_store.ts';
import { circuitWhy, conditionOf, unresolvedOf } from './endpoint_condition.ts';
import { findSlow } from './slow_endpoints.ts';
import { describeRecent } from './status_recent.ts';
import type { RouteView, StoreView } from './status_view.ts';

const CONNECTIONS_SHOWN_MAX = 100;
/** Maximum of routes shown, those with the most traffic. */
const ROUTES_SHOWN_MAX = 200;

export function describeStatus(
  plane: DataPlane,
  runtime: Runtime,
  addresses: ReadonlyMap<string, string>,
  nowMs: number,
) {
  const { listeners, clusters } = plane;
  const states = runtime.connections.countByState();
  return {
    listeners: [...listeners].map(([name, { settings }]) => ({
      name,
      address: addresses.get(name) ?? null,
      tls: settings.tls !== null,
      connections: states.get(name) ?? {},
      connectionsMax: settings.connectionsMax,
    })),
    requests: {
      active: runtime.traffic.active.size,
      tunnels: runtime.traffic.tunnels,
      lastMinute: runtime.metrics.stats.summary(nowMs).requests,
    },
    connections: {
      open: runtime.connections.size,
      oldest: runtime.connections.list().slice(0, CONNECTIONS_SHOWN_MAX),
    },
    refusals: runtime.connections.recentRefusals(),
    ...describeRecent(runtime, nowMs),
    routes: describeRoutes(plane, nowMs),
    clusters: [...clusters.values()].map(cluster => describeCluster(cluster, nowMs)),
    stores: [...plane.stores.values()].map(store => describeStore(store, nowMs)),
  };
}

function describeStore(
  { settings, state, stateChangedAtMs, lastError, inFlight }: LimitStore,
  nowMs: number,
): StoreView {
  const { name, host, port, onError } = settings;
  const sinceMs = Math.round(nowMs - stateChangedAtMs);
  return {
    name,
    address: formatAddress({ kind: 'tcp', host, port }),
    state,
    sinceMs,
    lastError,
    inFlight,
    onError,
  };
}

function describeCluster(cluster: BoundCluster, nowMs: number) {
  const { name, pool, policy, circuit, retryBudget, handles } = cluster;
  const { connectionsMax } = pool;
  const all = pool.backends.map(({ name }) => handles.statsOf(name) ?? NO_STATS);
  const latencies = pool.backends.map(({ name }) => handles.latencyOf(name)?.summary(nowMs) ?? NO_LATENCY);
  const slow = findSlow(latencies);
  return {
    name,
    policy,
    queueMax: pool.queueMax,
    circuit: circuit?.state.kind ?? null,
    circuitWhy: circuitWhy(circuit),
    panic: pool.isPanicking,
    queue: pool.queueDepth,
    serving: pool.eligibleCount,
    retryBudget: retryBudget.remaining,
    figures: TrafficStats.summaryOf(all, nowMs),
    endpoints: [
      ...pool.backends.map((backend, at) => ({
        ...describeBackend(backend, nowMs),
        connectionsMax,
        figures: (all[at] ?? NO_STATS).summary(nowMs),
        latency: latencies[at] ?? NO_LATENCY,
        slow: slow[at] ?? null,
      })),
      ...unresolvedOf(cluster, nowMs).map(condition => ({
        ...NOTHING,
        ...condition,
        connectionsMax,
        figures: NO_STATS.summary(nowMs),
      })),
    ],
  };
}

/** The statistics of something without traffic. */
const NO_STATS = new TrafficStats();
const NO_LATENCY: LatencySummary = { requests: 0, p95Ms: null, usualMs: null };
const NOTHING = {
  inFlight: 0,
  connections: { open: 0, inUse: 0 },
  disagrees: false,
  ejections: 0,
  latency: NO_LATENCY,
  slow: null,
};

/** A route on several listeners is one route, with the figures of all of them. */
function describeRoutes({ listeners }: DataPlane, nowMs: number): RouteView[] {
  const byName = new Map<string, BoundRoute[]>();
  for (const { router } of listeners.values())
    for (const route of router.values) {
      const { name } = route.settings;
      byName.set(name, [...(byName.get(name) ?? []), route]);
    }
  return [...byName.values()]
    .map(routes => describeRoute(routes as [BoundRoute, ...BoundRoute[]], nowMs))
    .toSorted((a, b) => b.figures.perSecond - a.figures.perSecond)
    .slice(0, ROUTES_SHOWN_MAX);
}

function describeRoute(routes: readonly [BoundRoute, ...BoundRoute[]], nowMs: number): RouteView {
  const [{ settings }] = routes;
  const { name, match, action } = settings;
  const target = action.kind === 'forward' && action.targets.length === 1 ? action.targets[0] : undefined;
  return {
    name,
    listeners: routes.map(({ handles }) => handles.listener),
    match: describeMatch(match),
    action: describeAction(settings),
    cluster: target?.cluster ?? null,
    figures: TrafficStats.summaryOf(
      routes.map(({ handles }) => handles.stats),
      nowMs,
    ),
  };
}

function describeMatch({ hosts, path, methods }: RouteSettings['match']): string {
  const parts = [hosts.join(' '), `${path.kind} ${path.value}`, methods?.join(' ') ?? ''];
  return parts.filter(part => part !== '').join(', ');
}

/** Where a route sends its requests, in a few words: `app`, `a 90, b 10`, `redirect 308`, `maintenance 503 (app)`. */
export function describeAction({
  action,
  maintenance,
}: Pick<RouteSettings, 'action' | 'maintenance'>): string {
  const usual = describeUsualAction(action);
  return maintenance === null ? usual : `maintenance ${maintenance.status} (${usual})`;
}

function describeUsualAction(action: RouteSettings['action']): string {
  switch (action.kind) {
    case 'forward':
      return action.targets
        .map(({ cluster, weight }) => (action.targets.length > 1 ? `${cluster} ${weight}` : cluster))
        .join(', ');
    case 'redirect':
      return `redirect ${action.status}`;
    case 'respond':
      return `respond ${action.status}`;
  }
}

function describeBackend(backend: Backend, nowMs: number) {
  const { upstream, passive, disagreement } = backend;
  return {
    ...conditionOf(backend, nowMs),
    inFlight: backend.inFlight,
    connections: upstream.counts,
    disagrees: disagreement?.isOpen ?? false,
    ejections: passive?.ejections ?? 0,
  };
}
