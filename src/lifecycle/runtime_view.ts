/** The state of the running process at a scrape. */
import { HEALTH_STATES } from '../health/state.ts';
import type { Backend } from '../load_balancer/backend.ts';
import type { RuntimeView } from '../observability/metrics.ts';
import type { Overload } from '../resilience/overload.ts';
import type { CertificateWatch } from './certificate_watch.ts';
import type { RunningRef } from './running_plan.ts';
import type { Runtime } from './runtime_state.ts';

export function runtimeView(
  running: RunningRef,
  { traffic, connections }: Runtime,
  certificates: CertificateWatch,
  overload: Overload,
): RuntimeView {
  return {
    activeRequests: () => traffic.active.size,
    tunnels: () => traffic.tunnels,
    bufferedBytes: () => traffic.buffers.bytes,
    connections: () =>
      [...connections.countByState()].flatMap(([listener, states]) =>
        Object.entries(states).map(([state, count]) => ({ listener, state, count })),
      ),
    clusters: () =>
      [...running.current.plane.clusters.values()].map(({ name, pool, circuit, retryBudget }) => ({
        cluster: name,
        circuit: circuit?.state.kind ?? 'closed',
        queueDepth: pool.queueDepth,
        retryBudget: retryBudget.remaining,
        panic: pool.isPanicking,
        serving: pool.eligibleCount,
        endpoints: [...Map.groupBy(pool.backends, ({ label }) => label)].map(([label, backends]) =>
          summarize(label, backends),
        ),
      })),
    overload: () => overload.active,
    digest: () => running.current.plane.digest,
    stores: () =>
      [...running.current.plane.stores.values()].map(({ settings, state }) => ({
        store: settings.name,
        ready: state === 'ready',
      })),
    certificates: () => certificates.certificates,
  };
}

/** All addresses of a host name share one series, because labels come from the configuration only. */
function summarize(endpoint: string, backends: readonly Backend[]) {
  const sum = (figure: (backend: Backend) => number): number =>
    backends.reduce((total, backend) => total + figure(backend), 0);
  return {
    endpoint,
    healthy:
      sum(backend => (backend.health.isEligible && !backend.adminState.isDrained ? 1 : 0)) / backends.length,
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

/** The state for a gauge: an operator's drain takes precedence over probes. */
export function plainStateOf({ adminState, health }: Backend): string {
  return adminState.isDrained ? 'drained' : health.state;
}
