/**
 * What the metrics of one proxied request cost, and what a scrape does, at the size of a large configuration.
 *
 *   node loadtest/micro/metrics.ts [rounds]
 *
 * Targets: below 2,000 ns a request; a scrape with 200 routes and 200 endpoints below 25 ms. Figures are medians of
 * CPU time, user and system: on a busy machine the time on the clock is that of the neighbours too.
 */
import { overheadMs } from '../../src/observability/access_log.ts';
import type { RequestRecord } from '../../src/observability/events.ts';
import { Metrics } from '../../src/observability/metrics.ts';

const ROUTES = 200;
const CLUSTERS = 40;
const ENDPOINTS_EACH = 5;
const CALLS_PER_ROUND = 100_000;
const ROUNDS = Number(process.argv[2] ?? 25);
const SCRAPES = 50;

const metrics = new Metrics('0.0.0');
const routes = Array.from({ length: ROUTES }, (_, at) => metrics.route('public', `route-${at}`));
const clusters = Array.from({ length: CLUSTERS }, (_, at) => {
  const endpoints = Array.from({ length: ENDPOINTS_EACH }, (_, host) => `10.0.${at}.${host}:8080`);
  return { endpoints, handles: metrics.cluster(`cluster-${at}`, endpoints) };
});
metrics.retainUsed();

const records = Array.from({ length: ROUTES }, (_, at): RequestRecord => {
  const startedAtMs = 1_000 + at * 1.337;
  const endpoint = clusters[at % CLUSTERS]?.endpoints[Math.floor(at / CLUSTERS) % ENDPOINTS_EACH] ?? '';
  const endedAtMs = startedAtMs + 5.2 + at;
  return {
    requestId: '01a1fb72-9752-76aa-81e3-a102b51033e6',
    traceId: null,
    trace: null,
    listener: 'public',
    clientIp: '203.0.113.7',
    user: null,
    peerIp: '10.1.2.3',
    method: 'GET',
    host: 'www.example.com',
    path: '/',
    referer: null,
    userAgent: null,
    protocol: 'HTTP/1.1',
    status: 200,
    failure: null,
    reason: null,
    timeout: null,
    retryRefused: null,
    grpcStatus: null,
    explainWanted: false,
    route: `route-${at}`,
    cluster: `cluster-${at % CLUSTERS}`,
    attempts: [
      {
        endpoint,
        spanId: null,
        endpointLabel: endpoint,
        startedAtMs,
        connectMs: 0,
        firstByteMs: 3,
        endedAtMs,
        status: 200,
        reason: null,
        detail: null,
        reused: true,
      },
    ],
    bytesIn: 0,
    bytesOut: 1_024,
    startedAtMs,
    queueMs: 0,
    pausedMs: 0,
    endedAtMs: endedAtMs + 0.1,
    tls: null,
    plan: 'abcdef0123456789',
  };
});

function finish(at: number): void {
  const record = records[at % ROUTES];
  const route = routes[at % ROUTES];
  const cluster = clusters[at % CLUSTERS];
  if (record === undefined || route === undefined || cluster === undefined)
    throw new Error('a hole in the tables');
  metrics.requestFinished(record, route, cluster.handles, overheadMs(record));
}

function cpuMicroseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const perCall: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS_PER_ROUND; call++) finish(call);
  perCall.push((cpuMicroseconds(before) * 1_000) / CALLS_PER_ROUND);
}
console.log(`metrics of one request           ${median(perCall).toFixed(0).padStart(6)} ns`);

const perScrape: number[] = [];
let bytes = 0;
for (let scrape = 0; scrape < SCRAPES; scrape++) {
  const before = process.cpuUsage();
  bytes = (await metrics.scrape('')).text.length;
  perScrape.push(cpuMicroseconds(before) / 1_000);
}
const size = `${ROUTES} routes, ${CLUSTERS * ENDPOINTS_EACH} endpoints, ${Math.round(bytes / 1024)} KiB`;
console.log(`a scrape (${size})  ${median(perScrape).toFixed(1).padStart(6)} ms`);
