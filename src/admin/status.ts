/** What is known of the running process, for a person (`/status`) and for a scrape. */
import { HEALTH_STATES } from '../health/state.ts';
import type { BoundCluster, PlaneRef } from '../http/data_plane.ts';
import type { CertificateWatch } from '../lifecycle/certificate_watch.ts';
import type { Runtime } from '../lifecycle/runtime_state.ts';
import type { Backend } from '../load_balancer/backend.ts';
import type { RuntimeView } from '../observability/metrics.ts';
import { TrafficFigures } from '../observability/traffic_figures.ts';
import type { Overload } from '../resilience/overload.ts';
import type { RouteSettings } from '../routing/route.ts';
import { circuitWhy, conditionOf, plainStateOf, unresolvedOf } from './endpoint_view.ts';

const CONNECTIONS_SHOWN_MAX = 100;
/** Those with the most traffic. */
const ROUTES_SHOWN_MAX = 200;

export function describeStatus(
  planeRef: PlaneRef,
  runtime: Runtime,
  addresses: ReadonlyMap<string, string>,
  nowMs: number,
) {
  const { listeners, clusters } = planeRef.current;
  const states = runtime.connections.countByState();
  return {
    listeners: [...listeners.keys()].map(name => ({
      name,
      address: addresses.get(name) ?? null,
      connections: states.get(name) ?? {},
    })),
    requests: { active: runtime.traffic.active.size, tunnels: runtime.traffic.tunnels },
    connections: {
      open: runtime.connections.size,
      oldest: runtime.connections.list().slice(0, CONNECTIONS_SHOWN_MAX),
    },
    routes: describeRoutes(planeRef, nowMs),
    clusters: [...clusters.values()].map(cluster => describeCluster(cluster, nowMs)),
  };
}

function describeCluster(cluster: BoundCluster, nowMs: number) {
  const { name, pool, policy, circuit, retryBudget, handles } = cluster;
  const { connectionsMax } = pool;
  return {
    name,
    policy,
    queueMax: pool.queueMax,
    circuit: circuit?.state.kind ?? null,
    circuitWhy: circuitWhy(circuit),
    panic: pool.isPanicking,
    queue: pool.queueDepth,
    serving: pool.servingCount,
    retryBudget: retryBudget.remaining,
    endpoints: [
      ...pool.backends.map(backend => ({
        ...describeBackend(backend, nowMs),
        connectionsMax,
        figures: (handles.figuresOf(backend.name) ?? NO_FIGURES).summary(nowMs),
      })),
      ...unresolvedOf(cluster, nowMs).map(condition => ({
        ...NOTHING,
        ...condition,
        connectionsMax,
        figures: NO_FIGURES.summary(nowMs),
      })),
    ],
  };
}

/** What nothing was sent to. */
const NO_FIGURES = new TrafficFigures();
const NOTHING = {
  inFlight: 0,
  connections: { open: 0, inUse: 0 },
  disagrees: false,
  ejections: 0,
};

/** A route on several listeners is one line for each. */
function describeRoutes({ current }: PlaneRef, nowMs: number) {
  const all = [...current.listeners.values()].flatMap(({ router }) =>
    router.values.map(({ settings, handles }) => ({
      name: settings.name,
      listener: handles.listener,
      match: describeMatch(settings.match),
      action: describeAction(settings.action),
      figures: handles.figures.summary(nowMs),
    })),
  );
  return all.toSorted((a, b) => b.figures.perSecond - a.figures.perSecond).slice(0, ROUTES_SHOWN_MAX);
}

function describeMatch({ hosts, path, methods }: RouteSettings['match']): string {
  const parts = [hosts.join(' '), `${path.kind} ${path.value}`, methods?.join(' ') ?? ''];
  return parts.filter(part => part !== '').join(', ');
}

function describeAction(action: RouteSettings['action']): string {
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

/** All addresses of a name are one series: labels come from the configuration only. */
function summarize(endpoint: string, backends: readonly Backend[]) {
  const sum = (figure: (backend: Backend) => number): number =>
    backends.reduce((total, backend) => total + figure(backend), 0);
  return {
    endpoint,
    healthy:
      sum(backend => (backend.health.isEligible && !backend.admission.isDrained ? 1 : 0)) / backends.length,
    circuits: new Set(backends.map(({ circuit }) => circuit?.state.kind ?? 'closed')),
    states: Object.fromEntries(
      [...HEALTH_STATES, 'drained'].map(state => [
        state,
        sum(backend => (plainStateOf(backend) === state ? 1 : 0)),
      ]),
    ),
    disagrees: backends.some(({ disagreement }) => disagreement?.isOpen === true),
    open: sum(({ upstream }) => upstream.counts.open),
    inUse: sum(({ upstream }) => upstream.counts.inUse),
  };
}

export function runtimeView(
  planeRef: PlaneRef,
  { traffic, connections }: Runtime,
  certificates: CertificateWatch,
  overload: Overload,
): RuntimeView {
  return {
    activeRequests: () => traffic.active.size,
    tunnels: () => traffic.tunnels,
    connections: () =>
      [...connections.countByState()].flatMap(([listener, states]) =>
        Object.entries(states).map(([state, count]) => ({ listener, state, count })),
      ),
    clusters: () =>
      [...planeRef.current.clusters.values()].map(({ name, pool, circuit, retryBudget }) => ({
        cluster: name,
        circuit: circuit?.state.kind ?? 'closed',
        queueDepth: pool.queueDepth,
        retryBudget: retryBudget.remaining,
        panic: pool.isPanicking,
        serving: pool.servingCount,
        endpoints: [...Map.groupBy(pool.backends, ({ label }) => label)].map(([label, backends]) =>
          summarize(label, backends),
        ),
      })),
    overload: () => overload.active,
    digest: () => planeRef.current.digest,
    certificates: () => certificates.certificates,
  };
}
