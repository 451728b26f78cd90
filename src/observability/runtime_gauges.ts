/** Gauges that show the state of the process at a scrape. */
import type { Registry } from 'prom-client';
import { defineReadGauge } from './metric_definition.ts';

/** The state of the process at a scrape. */
export interface RuntimeView {
  activeRequests(): number;
  tunnels(): number;
  /** Bytes of bodies and tunnels that wait in memory. */
  bufferedBytes(): number;
  connections(): Iterable<{ readonly listener: string; readonly state: string; readonly count: number }>;
  clusters(): Iterable<{
    readonly cluster: string;
    readonly queueDepth: number;
    readonly retryBudget: number;
    readonly panic: boolean;
    /** Number of eligible endpoints; also 0 if no name resolves. */
    readonly serving: number;
    /** State of the circuit breaker of the whole cluster. */
    readonly circuit: string;
    readonly endpoints: readonly {
      readonly endpoint: string;
      /** Share of its addresses that may be used, 0 to 1. */
      readonly healthy: number;
      readonly circuits: ReadonlySet<string>;
      /** Number of its addresses in each state. */
      readonly states: Readonly<Record<string, number>>;
      /** Its probes succeed while its requests fail. */
      readonly disagrees: boolean;
      readonly open: number;
      readonly inUse: number;
    }[];
  }>;
  /** The overload signal because of which requests are refused; null: none. */
  overload(): string | null;
  digest(): string;
  stores(): Iterable<{ readonly store: string; readonly ready: boolean }>;
  certificates(): Iterable<{
    readonly listener: string;
    readonly subject: string;
    readonly notAfterAtMs: number;
  }>;
}

/** Endpoint label for the circuit of the whole cluster. */
const WHOLE_CLUSTER = '*';
const CIRCUIT_STATES = ['closed', 'open', 'probing'] as const;

export function defineRuntimeGauges(registry: Registry, view: RuntimeView): void {
  defineReadGauge(registry, 'active_requests', 'Requests in flight', [], gauge =>
    gauge.set(view.activeRequests()),
  );
  defineReadGauge(registry, 'tunnels_active', 'WebSocket tunnels', [], gauge => gauge.set(view.tunnels()));
  const buffered = 'Bytes of bodies and tunnels that wait in the process';
  defineReadGauge(registry, 'buffered_bytes', buffered, [], gauge => gauge.set(view.bufferedBytes()));
  defineReadGauge(registry, 'connections', 'Client connections by state', ['listener', 'state'], gauge => {
    for (const { listener, state, count } of view.connections()) gauge.set({ listener, state }, count);
  });
  defineReadGauge(registry, 'config_info', 'The digest of the running plan', ['digest'], gauge =>
    gauge.set({ digest: view.digest() }, 1),
  );
  const overload = '1 while requests are refused because of the signal';
  defineReadGauge(registry, 'overload_active', overload, ['signal'], gauge => {
    for (const signal of ['event_loop', 'heap']) gauge.set({ signal }, view.overload() === signal ? 1 : 0);
  });
  const expiry = 'When a certificate of a listener expires, in seconds since 1970';
  defineReadGauge(registry, 'certificate_expiry_seconds', expiry, ['listener', 'subject'], gauge => {
    // If two have the same labels (RSA and ECDSA for one name), the one that expires first is set last and stays.
    const latestFirst = [...view.certificates()].sort((a, b) => b.notAfterAtMs - a.notAfterAtMs);
    for (const { listener, subject, notAfterAtMs } of latestFirst)
      gauge.set({ listener, subject }, notAfterAtMs / 1_000);
  });
  defineReadGauge(registry, 'limit_store_up', '1 while the store can be asked', ['store'], gauge => {
    for (const { store, ready } of view.stores()) gauge.set({ store }, ready ? 1 : 0);
  });
  defineClusterGauges(registry, view);
  defineEndpointGauges(registry, view);
}

function defineClusterGauges(registry: Registry, view: RuntimeView): void {
  defineReadGauge(registry, 'queue_depth', 'Requests waiting for a connection', ['cluster'], gauge => {
    for (const { cluster, queueDepth } of view.clusters()) gauge.set({ cluster }, queueDepth);
  });
  const serving = 'Eligible endpoints of a cluster';
  defineReadGauge(registry, 'cluster_endpoints_serving', serving, ['cluster'], gauge => {
    for (const { cluster, serving } of view.clusters()) gauge.set({ cluster }, serving);
  });
  const panic = '1 while most of the cluster is down and all its endpoints serve';
  defineReadGauge(registry, 'cluster_panic', panic, ['cluster'], gauge => {
    for (const { cluster, panic } of view.clusters()) gauge.set({ cluster }, panic ? 1 : 0);
  });
  defineReadGauge(
    registry,
    'retry_budget_remaining',
    'Retries that the budget allows now',
    ['cluster'],
    gauge => {
      for (const { cluster, retryBudget } of view.clusters()) gauge.set({ cluster }, retryBudget);
    },
  );
}

function defineEndpointGauges(registry: Registry, view: RuntimeView): void {
  defineReadGauge(
    registry,
    'endpoint_healthy',
    '1 if the endpoint may be used; for a name the share of its addresses',
    ['cluster', 'endpoint'],
    gauge => {
      for (const { cluster, endpoints } of view.clusters())
        for (const { endpoint, healthy } of endpoints) gauge.set({ cluster, endpoint }, healthy);
    },
  );
  const states = 'Addresses of the endpoint in each state';
  defineReadGauge(registry, 'endpoint_state', states, ['cluster', 'endpoint', 'state'], gauge => {
    for (const { cluster, endpoints } of view.clusters())
      for (const { endpoint, states } of endpoints)
        for (const [state, count] of Object.entries(states)) gauge.set({ cluster, endpoint, state }, count);
  });
  const disagreement = '1 while probes succeed and requests fail';
  defineReadGauge(registry, 'endpoint_disagreement', disagreement, ['cluster', 'endpoint'], gauge => {
    for (const { cluster, endpoints } of view.clusters())
      for (const { endpoint, disagrees } of endpoints) gauge.set({ cluster, endpoint }, disagrees ? 1 : 0);
  });
  defineReadGauge(
    registry,
    'circuit_state',
    '1 for the state in which the circuit is',
    ['cluster', 'endpoint', 'state'],
    gauge => {
      for (const { cluster, circuit, endpoints } of view.clusters()) {
        for (const state of CIRCUIT_STATES)
          gauge.set({ cluster, endpoint: WHOLE_CLUSTER, state }, state === circuit ? 1 : 0);
        for (const { endpoint, circuits } of endpoints)
          for (const state of CIRCUIT_STATES)
            gauge.set({ cluster, endpoint, state }, circuits.has(state) ? 1 : 0);
      }
    },
  );
  defineReadGauge(
    registry,
    'pool_connections',
    'Connections to an endpoint',
    ['cluster', 'endpoint', 'state'],
    gauge => {
      for (const { cluster, endpoints } of view.clusters()) {
        for (const { endpoint, open, inUse } of endpoints) {
          gauge.set({ cluster, endpoint, state: 'active' }, Math.min(open, inUse));
          gauge.set({ cluster, endpoint, state: 'idle' }, Math.max(0, open - inUse));
        }
      }
    },
  );
}
