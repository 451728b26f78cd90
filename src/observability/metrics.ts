/**
 * All metrics. Labels come from the configuration only, and the children that requests use are looked up when a plan is
 * assembled (`metric_handles.ts`), so that a request only adds to them.
 *
 * prom-client's own children cost 1.2 to 1.4 us of CPU per request, all together, with 1 to 200 routes
 * (loadtest/micro/metrics.ts). Below 2 us that does not justify counters of our own.
 */

import { Registry } from 'prom-client';
import { FAILURE_RULES, isFailure } from '../resilience/failure.ts';
import { OVERLOAD_SIGNALS } from '../resilience/overload.ts';
import { STORE_FAILURES } from '../security/limit_store.ts';
import { ClusterMetrics } from './cluster_metrics.ts';
import { EVENT_KINDS } from './event_level.ts';
import type { RequestRecord } from './events.ts';
import { ListenerMetrics } from './listener_metrics.ts';
import { DURATION_BUCKETS_S, defineCounter, defineGauge, defineHistogram } from './metric_definition.ts';
import { type ClusterHandles, RouteHandles, STARTED_AT_ZERO_MAX } from './metric_handles.ts';
import { OPENMETRICS_TYPE, toOpenMetrics, wantsOpenMetrics } from './openmetrics.ts';
import { SPAN_LOSSES, type SpanLoss } from './otlp_exporter.ts';
import { defineProcessMetrics } from './process_metrics.ts';
import { defineRuntimeGauges, type RuntimeView } from './runtime_gauges.ts';
import { type StoreHandles, StoreMetrics } from './store_metrics.ts';
import { TrafficStats } from './traffic_stats.ts';

export type { ClusterHandles, RouteHandles } from './metric_handles.ts';
export type { RuntimeView } from './runtime_gauges.ts';

const OVERHEAD_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];
const REASONS = Object.keys(FAILURE_RULES);
/** Results of a reload, and that of a rollback. */
const RELOAD_RESULTS = ['applied', 'unchanged', 'rejected', 'rolled_back'] as const;
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
  readonly #overhead = defineHistogram(
    this.registry,
    'proxy_overhead_seconds',
    'Time of a request that was spent in the proxy itself, outside backends and queues',
    [],
    OVERHEAD_BUCKETS_S,
  );
  readonly clusters = new ClusterMetrics(this.registry);
  readonly listeners = new ListenerMetrics(this.registry);
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
  /** Requested since the last `retainUsed`. */
  #used = new Set<RouteHandles>();
  #limiters = new Set<string>();
  #usedLimiters = new Set<string>();

  constructor(version: string) {
    for (const result of RELOAD_RESULTS) this.#reloads.inc({ result }, 0);
    for (const signal of OVERLOAD_SIGNALS) this.#shed.inc({ signal }, 0);
    for (const cause of SPAN_LOSSES) this.#spansDropped.inc({ cause }, 0);
    for (const event of EVENT_KINDS) this.#events.inc({ event }, 0);
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
    this.#startAtZero();
    const text = await this.registry.metrics();
    if (wantsOpenMetrics(accept)) return { contentType: OPENMETRICS_TYPE, text: toOpenMetrics(text) };
    return { contentType: this.registry.contentType, text };
  }

  /** At a scrape, because before the first one nobody could have seen a 0 anyway. */
  #startAtZero(): void {
    for (const handles of [...this.#routes.values()].slice(0, STARTED_AT_ZERO_MAX)) handles.startAtZero();
    for (const limiter of [...this.#limiters].slice(0, STARTED_AT_ZERO_MAX))
      for (const mode of LIMIT_MODES) this.#limited.inc({ limiter, mode }, 0);
    this.clusters.startAtZero();
    this.#storeMetrics.startAtZero();
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
    this.listeners.add(listener);
    this.#used.add(handles);
    return handles;
  }

  cluster(cluster: string, endpoints?: readonly string[]): ClusterHandles {
    return this.clusters.handles(cluster, endpoints);
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
    this.#used = new Set();
    this.clusters.retainUsed();
    for (const limiter of this.#limiters.difference(this.#usedLimiters))
      for (const mode of LIMIT_MODES) this.#limited.remove({ limiter, mode });
    this.#limiters = this.#usedLimiters;
    this.#usedLimiters = new Set();
    this.#storeMetrics.retainUsed();
  }

  #forgetRoutes(gone: readonly RouteHandles[]): void {
    const left = [...this.#routes.values()];
    const routes = new Set(left.map(({ route }) => route));
    this.listeners.retain(new Set(left.map(({ listener }) => listener)));
    for (const handles of gone) {
      const { listener, route } = handles;
      for (const code of handles.retire()) this.#requests.remove({ listener, route, code: String(code) });
      if (routes.has(route)) continue;
      this.#duration.remove({ route });
      for (const reason of REASONS) this.#failures.remove({ reason, route });
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
    if (last > 0) this.clusters.retried(cluster, record.reason ?? 'success', last);
  }

  eventSaid(event: string): void {
    this.#events.inc({ event });
  }
  spansExported(spans: number): void {
    this.#spansExported.inc(spans);
  }
  spansDropped(cause: SpanLoss, spans: number): void {
    this.#spansDropped.inc({ cause }, spans);
  }
  shed(signal: string): void {
    this.#shed.inc({ signal });
  }
  rateLimited(limiter: string, mode: string): void {
    if (this.#limiters.has(limiter)) this.#limited.inc({ limiter, mode });
  }
  reloaded(result: (typeof RELOAD_RESULTS)[number]): void {
    this.#reloads.inc({ result });
    this.#reloadOk.set(result === 'rejected' ? 0 : 1);
    if (result === 'applied' || result === 'rolled_back') this.#reloadedAt.setToCurrentTime();
  }
  logLineDropped(): void {
    this.#dropped.inc();
  }
}
