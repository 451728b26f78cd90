/**
 * What a scrape sees. Labels come from the configuration only, and the children that requests use are looked up
 * when a plan is assembled: a request only adds to numbers that it holds in its hand.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FailureKind } from '../resilience/failure.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';

/** The state of the process at the moment of a scrape. */
export interface RuntimeView {
  activeRequests(): number;
  tunnels(): number;
  connections(): Iterable<{ readonly listener: string; readonly state: string; readonly count: number }>;
  clusters(): Iterable<{
    readonly cluster: string;
    readonly queueDepth: number;
    readonly retryBudget: number;
    readonly endpoints: readonly {
      readonly endpoint: string;
      readonly healthy: boolean;
      readonly circuit: string;
      readonly open: number;
      readonly inUse: number;
    }[];
  }>;
  digest(): string;
}

/** OpenTelemetry's advice for HTTP durations. */
const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const OVERHEAD_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];
const CIRCUIT_STATES = ['closed', 'open', 'probing'] as const;

type CounterChild = Counter.Internal;

/** The numbers of one route on one listener. */
export class RouteHandles {
  readonly #make: (code: number) => CounterChild;
  readonly #makeFailure: (reason: FailureKind) => CounterChild;
  readonly #codes: (CounterChild | undefined)[] = [];
  readonly #reasons = new Map<FailureKind, CounterChild>();
  readonly duration: Histogram.Internal<string>;

  constructor(
    make: (code: number) => CounterChild,
    makeFailure: (reason: FailureKind) => CounterChild,
    duration: Histogram.Internal<string>,
  ) {
    this.#make = make;
    this.#makeFailure = makeFailure;
    this.duration = duration;
  }
  code(status: number): CounterChild {
    const known = this.#codes[status];
    if (known !== undefined) return known;
    const child = this.#make(status);
    this.#codes[status] = child;
    return child;
  }
  failure(reason: FailureKind): CounterChild {
    const known = this.#reasons.get(reason);
    if (known !== undefined) return known;
    const child = this.#makeFailure(reason);
    this.#reasons.set(reason, child);
    return child;
  }
}

/** The numbers of one cluster and of each of its endpoints. */
export class ClusterHandles {
  readonly firstByte: Histogram.Internal<string>;
  readonly connect: Histogram.Internal<string>;
  readonly #make: (endpoint: string, result: string) => CounterChild;
  readonly #attempts = new Map<string, Map<string, CounterChild>>();

  constructor(
    firstByte: Histogram.Internal<string>,
    connect: Histogram.Internal<string>,
    make: (endpoint: string, result: string) => CounterChild,
  ) {
    this.firstByte = firstByte;
    this.connect = connect;
    this.#make = make;
  }
  attempt(endpoint: string, result: string): CounterChild {
    const results = this.#attempts.get(endpoint) ?? new Map<string, CounterChild>();
    this.#attempts.set(endpoint, results);
    const known = results.get(result);
    if (known !== undefined) return known;
    const child = this.#make(endpoint, result);
    results.set(result, child);
    return child;
  }
}

export class Metrics {
  readonly registry = new Registry();
  readonly #requests = this.#counter('requests_total', 'Requests answered', ['listener', 'route', 'code']);
  readonly #duration = this.#histogram(
    'request_duration_seconds',
    'From the head of a request to the last byte of its answer',
    ['route'],
    DURATION_BUCKETS_S,
  );
  readonly #failures = this.#counter('failures_total', 'Requests that failed, by reason', [
    'reason',
    'route',
  ]);
  readonly #attempts = this.#counter('upstream_attempts_total', 'Attempts against an endpoint, by result', [
    'cluster',
    'endpoint',
    'result',
  ]);
  readonly #connect = this.#histogram(
    'upstream_connect_seconds',
    'Time to open a connection to a backend',
    ['cluster'],
    DURATION_BUCKETS_S,
  );
  readonly #firstByte = this.#histogram(
    'upstream_first_byte_seconds',
    "From sending a request to the head of the backend's answer",
    ['cluster'],
    DURATION_BUCKETS_S,
  );
  readonly #overhead = this.#histogram(
    'proxy_overhead_seconds',
    'Time of a request that no backend and no queue explains',
    [],
    OVERHEAD_BUCKETS_S,
  );
  readonly #retries = this.#counter(
    'retries_total',
    'Attempts after the first one, by how the request ended',
    ['cluster', 'result'],
  );
  readonly #refused = this.#counter('connections_refused_total', 'Connections refused at once', [
    'listener',
    'cause',
  ]);
  readonly #ejections = this.#counter(
    'endpoint_ejections_total',
    'Times that passive health took an endpoint out',
    ['cluster', 'endpoint'],
  );
  readonly #limited = this.#counter('rate_limited_total', 'Requests over a limit, refused or only counted', [
    'limiter',
    'mode',
  ]);
  readonly #reloads = this.#counter('config_reloads_total', 'Reloads by result', ['result']);
  readonly #reloadOk = this.#gauge(
    'config_last_reload_successful',
    '1 if the last reload was not rejected',
    [],
  );
  readonly #dropped = this.#counter(
    'log_lines_dropped_total',
    'Log lines dropped because nobody reads them fast enough',
    [],
  );

  constructor(version: string) {
    this.#reloadOk.set(1);
    this.#gauge('build_info', 'The running version', ['version', 'node']).set(
      { version, node: process.version },
      1,
    );
    this.#processFigures();
  }

  /** Gauges that are read when somebody asks. */
  observe(view: RuntimeView): void {
    this.#gauge('active_requests', 'Requests under way', [], gauge => gauge.set(view.activeRequests()));
    this.#gauge('tunnels_active', 'WebSocket tunnels', [], gauge => gauge.set(view.tunnels()));
    this.#gauge('connections', 'Client connections by state', ['listener', 'state'], gauge => {
      gauge.reset();
      for (const { listener, state, count } of view.connections()) gauge.set({ listener, state }, count);
    });
    this.#gauge('config_info', 'The digest of the running plan', ['digest'], gauge => {
      gauge.reset();
      gauge.set({ digest: view.digest() }, 1);
    });
    this.#clusterGauges(view);
  }

  // ---- handles, made when a plan is assembled

  route(listener: string, route: string): RouteHandles {
    return new RouteHandles(
      code => this.#requests.labels({ listener, route, code: String(code) }),
      reason => this.#failures.labels({ reason, route }),
      this.#duration.labels({ route }),
    );
  }

  cluster(cluster: string): ClusterHandles {
    return new ClusterHandles(
      this.#firstByte.labels({ cluster }),
      this.#connect.labels({ cluster }),
      (endpoint, result) => this.#attempts.labels({ cluster, endpoint, result }),
    );
  }

  // ---- what happens

  requestFinished(
    record: RequestRecord,
    route: RouteHandles,
    cluster: ClusterHandles | null,
    overheadMs: number,
  ): void {
    route.code(record.status).inc();
    route.duration.observe((record.endedMs - record.startedMs) / 1_000);
    if (record.reason !== null) route.failure(record.reason).inc();
    if (cluster === null) return;
    this.#overhead.observe(overheadMs / 1_000);
    for (const attempt of record.attempts) observeAttempt(attempt, cluster);
    if (record.attempts.length > 1)
      this.#retries.inc(
        { cluster: record.cluster ?? '', result: record.reason ?? 'success' },
        record.attempts.length - 1,
      );
  }

  connectionsRefused(listener: string, cause: string, count: number): void {
    this.#refused.inc({ listener, cause }, count);
  }
  ejected(cluster: string, endpoint: string): void {
    this.#ejections.inc({ cluster, endpoint });
  }
  rateLimited(limiter: string, mode: string): void {
    this.#limited.inc({ limiter, mode });
  }
  reloaded(result: string): void {
    this.#reloads.inc({ result });
    this.#reloadOk.set(result === 'rejected' ? 0 : 1);
  }
  logLineDropped(): void {
    this.#dropped.inc();
  }

  // ---- definitions

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `fairlead_${name}`, help, labelNames, registers: [this.registry] });
  }
  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name: `fairlead_${name}`, help, labelNames, buckets, registers: [this.registry] });
  }
  #gauge<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    read?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    const gauge: Gauge<L> = new Gauge({
      name: `fairlead_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      ...(read === undefined ? {} : { collect: () => read(gauge) }),
    });
    return gauge;
  }

  #clusterGauges(view: RuntimeView): void {
    this.#gauge('queue_depth', 'Requests that wait for a connection', ['cluster'], gauge => {
      gauge.reset();
      for (const { cluster, queueDepth } of view.clusters()) gauge.set({ cluster }, queueDepth);
    });
    this.#gauge('retry_budget_remaining', 'Retries that may be made now', ['cluster'], gauge => {
      gauge.reset();
      for (const { cluster, retryBudget } of view.clusters()) gauge.set({ cluster }, retryBudget);
    });
    this.#gauge('endpoint_healthy', '1 if the endpoint may be used', ['cluster', 'endpoint'], gauge => {
      gauge.reset();
      for (const { cluster, endpoints } of view.clusters())
        for (const { endpoint, healthy } of endpoints) gauge.set({ cluster, endpoint }, healthy ? 1 : 0);
    });
    this.#gauge(
      'circuit_state',
      '1 for the state in which the circuit is',
      ['cluster', 'endpoint', 'state'],
      gauge => {
        gauge.reset();
        for (const { cluster, endpoints } of view.clusters()) {
          for (const { endpoint, circuit } of endpoints)
            for (const state of CIRCUIT_STATES)
              gauge.set({ cluster, endpoint, state }, state === circuit ? 1 : 0);
        }
      },
    );
    this.#gauge('pool_connections', 'Connections to an endpoint', ['cluster', 'endpoint', 'state'], gauge => {
      gauge.reset();
      for (const { cluster, endpoints } of view.clusters()) {
        for (const { endpoint, open, inUse } of endpoints) {
          gauge.set({ cluster, endpoint, state: 'active' }, Math.min(open, inUse));
          gauge.set({ cluster, endpoint, state: 'idle' }, Math.max(0, open - inUse));
        }
      }
    });
  }

  #processFigures(): void {
    const delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    this.#gauge(
      'event_loop_delay_seconds',
      '99th percentile of the event loop delay since the last scrape',
      [],
      gauge => {
        gauge.set(delay.percentile(99) / 1e9);
        delay.reset();
      },
    );
    this.#gauge('process_resident_memory_bytes', 'Resident memory', [], gauge =>
      gauge.set(process.memoryUsage.rss()),
    );
    this.#gauge('process_cpu_seconds', 'CPU time, by mode', ['mode'], gauge => {
      const { user, system } = process.cpuUsage();
      gauge.set({ mode: 'user' }, user / 1e6);
      gauge.set({ mode: 'system' }, system / 1e6);
    });
  }
}

function observeAttempt(attempt: AttemptRecord, handles: ClusterHandles): void {
  handles.attempt(attempt.endpoint, attempt.reason ?? statusClass(attempt.status)).inc();
  if (attempt.firstByteMs !== null) handles.firstByte.observe(attempt.firstByteMs / 1_000);
  if (attempt.connectMs !== null && !attempt.reused) handles.connect.observe(attempt.connectMs / 1_000);
}

function statusClass(status: number | null): string {
  return status === null ? 'none' : `${Math.floor(status / 100)}xx`;
}
