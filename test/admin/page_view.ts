/** Made-up views of the status: nothing is wrong, except what a test changes. */
import type { ClusterView, EndpointView, PageView } from '../../src/admin/status_view.ts';

export const FIGURES = {
  requests: 60,
  perSecond: 1,
  failureShare: 0,
  retried: 0,
  p50Ms: 1,
  p95Ms: 1,
  p99Ms: 1,
};

export function endpointView(change: Partial<EndpointView> = {}): EndpointView {
  return {
    endpoint: '10.0.0.7:80',
    weight: 1,
    state: 'healthy',
    sinceMs: 90_000,
    lastError: null,
    lastErrorAgoMs: null,
    circuitWhy: null,
    inFlight: 0,
    connections: { open: 0, inUse: 0 },
    connectionsMax: 1,
    circuit: null,
    disagrees: false,
    ejections: 0,
    figures: FIGURES,
    latency: { requests: 60, p95Ms: 1, usualMs: null },
    slow: null,
    ...change,
  };
}

export function clusterView(
  endpoints: readonly EndpointView[],
  change: Partial<ClusterView> = {},
): ClusterView {
  return {
    name: 'app',
    policy: 'random',
    queue: 0,
    queueMax: 10,
    serving: endpoints.length,
    retryBudget: 1,
    circuit: null,
    circuitWhy: null,
    panic: false,
    figures: FIGURES,
    endpoints,
    ...change,
  };
}

export function pageView(clusters: readonly ClusterView[], change: Partial<PageView> = {}): PageView {
  return {
    version: '1.0.0',
    phase: 'serving',
    uptimeMs: 3_700_000,
    plan: 'abcdef0123456789',
    lastReload: null,
    isFromFile: true,
    readiness: { ready: true, reasons: [] },
    requests: { active: 3, tunnels: 0, lastMinute: 60 },
    overload: null,
    refusals: [],
    handshakes: [],
    rateLimited: [],
    recentFailures: [],
    linesLost: 0,
    limits: [],
    load: { loopShare: 0, cpuShare: 0, loopDelayMs: 0, loopDelayMaxMs: 200 },
    certificates: [],
    figures: FIGURES,
    overheadMs: null,
    samples: [],
    clusters,
    stores: [],
    routes: [],
    failureGroups: [],
    listeners: [],
    host: 'web-3',
    pid: 4711,
    instance: 'a1b2c3d4',
    ...change,
  };
}
