/**
 * All metrics. Labels come from the configuration only, and the children that requests use are looked up when a plan is
 * assembled (`metric_handles.ts`), so that a request only adds to them.
 *
 * prom-client's own children cost 1.2 to 1.4 us of CPU per request, all together, with 1 to 200 routes
 * (loadtest/micro/metrics.ts). Below 2 us that does not justify counters of our own.
 */

import { Registry } from 'prom-client';
import { HEALTH_STATES } from '../health/state.ts';
import { CUT_CAUSES, PROXY_PROTOCOL_REFUSALS, REFUSAL_CAUSES } from '../net/connection.ts';
import { TLS_REFUSALS } from '../net/tls_refusal.ts';
import { FAILURE_RULES, isFailure } from '../resilience/failure.ts';
import { RETRY_REFUSALS } from '../resilience/retries.ts';
import { STORE_FAILURES } from '../security/limit_store.ts';
import type { RequestRecord } from './events.ts';
import { defineCounter, defineGauge, defineHistogram } from './metric_definition.ts';
import { ClusterHandles, RouteHandles } from './metric_handles.ts';
import { OPENMETRICS_TYPE, toOpenMetrics, wantsOpenMetrics } from './openmetrics.ts';
import { defineProcessMetrics } from './process_metrics.ts';
import { defineRuntimeGauges, type RuntimeView } from './runtime_gauges.ts';
import { type StoreHandles, StoreMetrics } from './store_metrics.ts';
import { TrafficStats } from './traffic_stats.ts';

export type { ClusterHandles, RouteHandles } from './metric_handles.ts';
export type { RuntimeView } from './runtime_gauges.ts';

/** Buckets that OpenTelemetry recommends for HTTP durations. */
const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const OVERHEAD_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];
const REASONS = Object.keys(FAILURE_RULES);
const LIMIT_MODES = ['enforce', 'shadow'] as const;

interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

export class Metrics {
  readonly registry = new Registry();
  /** The last minute of the whole process, for the status page. */
  readonly stats = new TrafficStats();
  readonly overheadStats = new TrafficStats();
  readonly #requests = defineCounter(this.registry, 'requests_total', 'Requests answered', [
    'listener',
    'route',
    'code',
  ]);
  readonly #duration = defineHistogram(
    this.registry,
    'request_duration_seconds',
    'Time from the request head to the last byte of the response',
    ['route'],
    DURATION_BUCKETS_S,
  );
  readonly #failures = defineCounter(this.registry, 'failures_total', 'Failed requests by reason', [
    'reason',
    'route',
  ]);
  readonly #attempts = defineCounter(
    this.registry,
    'upstream_attempts_total',
    'Attempts by endpoint and result',
    ['cluster', 'endpoint', 'result'],
  );
  readonly #connect = defineHistogram(
    this.registry,
    'upstream_connect_seconds',
    'Time to open a connection to a backend',
    ['cluster'],
    DURATION_BUCKETS_S,
  );
  readonly #firstByte = defineHistogram(
    this.registry,
    'upstream_first_byte_seconds',
    "From sending a request to the head of the backend's answer",
    ['cluster'],
    DURATION_BUCKETS_S,
  );
  readonly #overhead = defineHistogram(
    this.registry,
    'proxy_overhead_seconds',
    'Time of a request that was spent in the proxy itself, outside backends and queues',
    [],
    OVERHEAD_BUCKETS_S,
  );
  readonly #retries = defineCounter(this.registry, 'retries_total', 'Retries by result of the request', [
    'cluster',
    'result',
  ]);
  readonly #retriesRefused = defineCounter(
    this.registry,
    'retries_refused_total',
    'Failures that were not retried, by the reason against it',
    ['cluster', 'why'],
  );
  readonly #refused = defineCounter(
    this.registry,
    'connections_refused_total',
    'Client connections refused because of a connection limit',
    ['listener', 'cause'],
  );
  readonly #cut = defineCounter(
    this.registry,
    'connections_cut_total',
    'Client connections ended because of what came on them: too much pipelining, a flood of HTTP/2 frames, a broken frame',
    ['listener', 'cause'],
  );
  readonly #unsecured = defineCounter(
    this.registry,
    'tls_refused_total',
    'Failed TLS handshakes of clients',
    ['listener', 'cause'],
  );
  readonly #unproxied = defineCounter(
    this.registry,
    'proxy_protocol_refused_total',
    'Client connections refused because of their PROXY protocol header',
    ['listener', 'cause'],
  );
  readonly #ejections = defineCounter(
    this.registry,
    'endpoint_ejections_total',
    'Ejections of an endpoint by passive health checks',
    ['cluster', 'endpoint'],
  );
  readonly #transitions = defineCounter(
    this.registry,
    'endpoint_transitions_total',
    'Health changes of an endpoint by new state',
    ['cluster', 'endpoint', 'to'],
  );
  readonly #disagreements = defineCounter(
    this.registry,
    'endpoint_disagreements_total',
    'Times that probes succeeded while requests failed',
    ['cluster', 'endpoint'],
  );
  readonly #storeMetrics = new StoreMetrics(this.registry, STORE_FAILURES);
  readonly #limited = defineCounter(
    this.registry,
    'rate_limited_total',
    'Requests over a limit, refused or only counted',
    ['limiter', 'mode'],
  );
  readonly #shed = defineCounter(
    this.registry,
    'overload_shed_total',
    'Requests refused because the process is overloaded',
    ['signal'],
  );
  readonly #spansExported = defineCounter(
    this.registry,
    'spans_exported_total',
    'Spans accepted by the collector',
    [],
  );
  readonly #spansDropped = defineCounter(this.registry, 'spans_dropped_total', 'Spans lost, by cause', [
    'cause',
  ]);
  readonly #reloads = defineCounter(this.registry, 'config_reloads_total', 'Reloads by result', ['result']);
  readonly #reloadOk = defineGauge(
    this.registry,
    'config_last_reload_successful',
    '1 if the last reload was not rejected',
    [],
  );
  readonly #reloadedAt = defineGauge(
    this.registry,
    'config_last_reload_timestamp_seconds',
    'When the running plan was applied, in seconds since 1970',
    [],
  );
  readonly #events = defineCounter(this.registry, 'events_total', 'Log events by kind', ['event']);
  readonly #dropped = defineCounter(
    this.registry,
    'log_lines_dropped_total',
    'Log lines dropped because the reader is too slow',
    [],
  );
  readonly #routes = new Map<string, RouteHandles>();
  #listeners = new Set<string>();
  readonly #clusters = new Map<string, ClusterHandles>();
  /** Requested since the last `retainUsed`. */
  #used = new Set<RouteHandles | ClusterHandles>();
  #limiters = new Set<string>();
  #usedLimiters = new Set<string>();

  constructor(version: string) {
    this.#reloadOk.set(1);
    this.#reloadedAt.setToCurrentTime();
    defineGauge(this.registry, 'build_info', 'The running version', ['version', 'node']).set(
      { version, node: process.version },
      1,
    );
    defineProcessMetrics(this.registry);
  }

  /** Defines gauges that are computed at a scrape. */
  observe(view: RuntimeView): void {
    defineRuntimeGauges(this.registry, view);
  }

  /** All metrics, in the format that the scraper's `Accept` field asks for. */
  async scrape(accept: string): Promise<Scrape> {
    const text = await this.registry.metrics();
    if (wantsOpenMetrics(accept)) return { contentType: OPENMETRICS_TYPE, text: toOpenMetrics(text) };
    return { contentType: this.registry.contentType, text };
  }

  // ---- handles, requested when a plan is assembled

  route(listener: string, route: string): RouteHandles {
    const key = `${listener} ${route}`; // names have no spaces
    let handles = this.#routes.get(key);
    if (handles === undefined) {
      handles = new RouteHandles(
        listener,
        route,
        code => this.#requests.labels({ listener, route, code: String(code) }),
        reason => this.#failures.labels({ reason, route }),
        this.#duration.labels({ route }),
      );
      this.#routes.set(key, handles);
    }
    this.#listeners.add(listener);
    this.#used.add(handles);
    return handles;
  }

  cluster(cluster: string, endpoints?: readonly string[]): ClusterHandles {
    let handles = this.#clusters.get(cluster);
    if (handles === undefined) {
      handles = new ClusterHandles(
        cluster,
        this.#firstByte.labels({ cluster }),
        this.#connect.labels({ cluster }),
        (endpoint, result) => this.#attempts.labels({ cluster, endpoint, result }),
      );
      this.#clusters.set(cluster, handles);
    }
    if (endpoints !== undefined) handles.nameEndpoints(endpoints);
    this.#used.add(handles);
    return handles;
  }

  /** The metrics of one rate limit of the plan that is being assembled. */
  limiter(name: string): void {
    this.#limiters.add(name);
    this.#usedLimiters.add(name);
  }

  store(name: string): StoreHandles {
    return this.#storeMetrics.handles(name);
  }

  /**
   * After a swap: removes the series of routes, clusters, endpoints, limits and stores that were not requested since the
   * last call.
   */
  retainUsed(): void {
    const gone: RouteHandles[] = [];
    for (const [key, handles] of this.#routes) {
      if (this.#used.has(handles)) continue;
      this.#routes.delete(key);
      gone.push(handles);
    }
    this.#forgetRoutes(gone);
    for (const [name, handles] of this.#clusters) {
      const isUsed = this.#used.has(handles);
      this.#forgetAttempts(name, isUsed ? handles.retainNamed() : handles.retire());
      if (isUsed) continue;
      this.#clusters.delete(name);
      this.#forgetCluster(name);
    }
    this.#used = new Set();
    for (const limiter of this.#limiters.difference(this.#usedLimiters))
      for (const mode of LIMIT_MODES) this.#limited.remove({ limiter, mode });
    this.#limiters = this.#usedLimiters;
    this.#usedLimiters = new Set();
    this.#storeMetrics.retainUsed();
  }

  #forgetRoutes(gone: readonly RouteHandles[]): void {
    const left = [...this.#routes.values()];
    const routes = new Set(left.map(({ route }) => route));
    this.#listeners = new Set(left.map(({ listener }) => listener));
    for (const handles of gone) {
      const { listener, route } = handles;
      for (const code of handles.retire()) this.#requests.remove({ listener, route, code: String(code) });
      if (!routes.has(route)) {
        this.#duration.remove({ route });
        for (const reason of REASONS) this.#failures.remove({ reason, route });
      }
      if (this.#listeners.has(listener)) continue;
      for (const cause of REFUSAL_CAUSES) this.#refused.remove({ listener, cause });
      for (const cause of CUT_CAUSES) this.#cut.remove({ listener, cause });
      for (const cause of TLS_REFUSALS) this.#unsecured.remove({ listener, cause });
      for (const cause of PROXY_PROTOCOL_REFUSALS) this.#unproxied.remove({ listener, cause });
    }
  }

  #forgetCluster(cluster: string): void {
    this.#firstByte.remove({ cluster });
    this.#connect.remove({ cluster });
    for (const result of ['success', ...REASONS]) this.#retries.remove({ cluster, result });
    for (const why of RETRY_REFUSALS) this.#retriesRefused.remove({ cluster, why });
  }

  #forgetAttempts(cluster: string, gone: ReturnType<ClusterHandles['retire']>): void {
    for (const { endpoint, results } of gone) {
      for (const result of results) this.#attempts.remove({ cluster, endpoint, result });
      this.#ejections.remove({ cluster, endpoint });
      this.#disagreements.remove({ cluster, endpoint });
      for (const to of HEALTH_STATES) this.#transitions.remove({ cluster, endpoint, to });
    }
  }

  // ---- events

  requestFinished(
    record: RequestRecord,
    route: RouteHandles,
    cluster: ClusterHandles | null,
    overheadMs: number,
  ): void {
    route.requestFinished(record);
    const { startedAtMs, endedAtMs, status, reason } = record;
    this.stats.record(endedAtMs - startedAtMs, isFailure(status, reason), endedAtMs);
    if (cluster === null) return;
    this.overheadStats.record(overheadMs, false, record.endedAtMs);
    this.#overhead.observe(overheadMs / 1_000);
    const last = record.attempts.length - 1;
    for (let at = 0; at <= last; at++) {
      const attempt = record.attempts[at];
      if (attempt !== undefined) cluster.attemptFinished(attempt, at < last);
    }
    if (record.attempts.length > 1 && !cluster.retired)
      this.#retries.inc(
        { cluster: cluster.cluster, result: record.reason ?? 'success' },
        record.attempts.length - 1,
      );
  }

  eventSaid(event: string): void {
    this.#events.inc({ event });
  }
  // An event of a plan that is gone must not bring back series that only that plan had.
  connectionsRefused(listener: string, cause: string, count: number): void {
    if (this.#listeners.has(listener)) this.#refused.inc({ listener, cause }, count);
  }
  connectionCut(listener: string, cause: string): void {
    if (this.#listeners.has(listener)) this.#cut.inc({ listener, cause });
  }
  tlsRefused(listener: string, cause: string, count: number): void {
    if (this.#listeners.has(listener)) this.#unsecured.inc({ listener, cause }, count);
  }
  proxyProtocolRefused(listener: string, cause: string, count: number): void {
    if (this.#listeners.has(listener)) this.#unproxied.inc({ listener, cause }, count);
  }
  healthChanged(cluster: string, endpoint: string, to: string): void {
    if (this.#clusters.get(cluster)?.has(endpoint) !== true) return;
    this.#transitions.inc({ cluster, endpoint, to });
    if (to === 'ejected') this.#ejections.inc({ cluster, endpoint });
  }
  disagreed(cluster: string, endpoint: string): void {
    if (this.#clusters.get(cluster)?.has(endpoint) === true) this.#disagreements.inc({ cluster, endpoint });
  }
  retryRefused(cluster: string, why: string): void {
    if (this.#clusters.has(cluster)) this.#retriesRefused.inc({ cluster, why });
  }
  spansExported(spans: number): void {
    this.#spansExported.inc(spans);
  }
  spansDropped(cause: string, spans: number): void {
    this.#spansDropped.inc({ cause }, spans);
  }
  shed(signal: string): void {
    this.#shed.inc({ signal });
  }
  rateLimited(limiter: string, mode: string): void {
    if (this.#limiters.has(limiter)) this.#limited.inc({ limiter, mode });
  }
  reloaded(result: string): void {
    this.#reloads.inc({ result });
    this.#reloadOk.set(result === 'rejected' ? 0 : 1);
    if (result === 'applied' || result === 'rolled_back') this.#reloadedAt.setToCurrentTime();
  }
  logLineDropped(): void {
    this.#dropped.inc();
  }
}
