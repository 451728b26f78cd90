/** The only place where an event becomes a log line and a metric. */
import { isDeepStrictEqual } from 'node:util';
import type { CutCause } from '../net/connection.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import type { Clock } from '../resilience/clock.ts';
import { isFailure, wentWell } from '../resilience/failure.ts';
import type { OverloadSignal } from '../resilience/overload.ts';
import type { Random } from '../resilience/random.ts';
import { RecentCounts } from '../resilience/recent_counts.ts';
import { overheadMs, shownPath } from './access_log.ts';
import { type DecisionFacts, DecisionRing } from './decision_ring.ts';
import { eventLevel } from './event_level.ts';
import type { Event, RequestRecord } from './events.ts';
import type { LogDestination } from './log_destination.ts';
import { Log, type LoggingSettings } from './logging.ts';
import type { ClusterHandles, Metrics, RouteHandles } from './metrics.ts';
import { OtlpExporter, type OtlpSettings } from './otlp_exporter.ts';
import { spansOf } from './otlp_spans.ts';
import type { TraceContext } from './trace_context.ts';

/** Provides the facts for a decision record. */
interface FactsOf {
  decisionFacts(): DecisionFacts;
}

export interface Telemetry {
  emit(event: Event): void;
  /** `facts` is only used when a decision record is made. */
  requestFinished(
    record: RequestRecord,
    route: RouteHandles,
    cluster: ClusterHandles | null,
    facts: FactsOf,
  ): void;
  rateLimited(limiter: string, mode: 'enforce' | 'shadow'): void;
  shed(signal: OverloadSignal): void;
  connectionCut(listener: string, cause: CutCause): void;
  /** A URL with its secrets masked. */
  withoutSecrets(url: string): string;
  retryRefused(cluster: string, why: string): void;
}

export class ProcessTelemetry implements Telemetry {
  readonly metrics: Metrics;
  readonly decisions = new DecisionRing();
  /** Failed requests of the last minute by listener and reason; a failure that a backend has answered is `status 500`. */
  readonly recentFailures = new RecentCounts();
  /** Failed TLS handshakes of the last minute by listener and cause. */
  readonly recentTlsRefusals = new RecentCounts<TlsRefusal>();
  /** Requests of the last minute that a rate limit has refused, by limit. */
  readonly recentlyLimited = new RecentCounts<'enforce'>();
  readonly #destination: LogDestination;
  readonly #clock: Clock;
  readonly #random: Random;
  #settings: LoggingSettings;
  #redactQuery: ReadonlySet<string>;
  readonly #log: Log;
  #exportSettings: OtlpSettings | null = null;
  #exporter: OtlpExporter | null = null;

  constructor(
    settings: LoggingSettings,
    destination: LogDestination,
    metrics: Metrics,
    clock: Clock,
    random: Random,
  ) {
    this.metrics = metrics;
    this.#destination = destination;
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
    this.#redactQuery = new Set(settings.access.redactQuery);
    this.#log = new Log(settings, destination, clock);
  }

  /** Applies other settings after a reload. */
  setSettings(settings: LoggingSettings): void {
    this.#settings = settings;
    this.#redactQuery = new Set(settings.access.redactQuery);
    this.#log.setSettings(settings);
  }

  get level(): LoggingSettings['level'] {
    return this.#log.level;
  }

  /** Overrides the configured log level; null ends that. */
  setLevel(level: LoggingSettings['level'] | null): void {
    this.#log.setLevel(level);
  }

  reopen(): void {
    this.#destination.reopen();
  }
  async flush(): Promise<void> {
    await this.#exporter?.close();
    await this.#destination.flush();
  }

  requestFinished(
    record: RequestRecord,
    route: RouteHandles,
    cluster: ClusterHandles | null,
    facts: FactsOf,
  ): void {
    this.metrics.requestFinished(record, route, cluster, overheadMs(record));
    const cause = record.reason ?? (isFailure(record.status, null) ? `status ${record.status}` : null);
    if (cause !== null) this.recentFailures.add(record.listener, cause, record.endedAtMs);
    if (record.trace?.sampled === true && this.#exporter !== null)
      this.#trace(record, record.trace, this.#exporter);
    if (record.explainWanted || this.decisions.wants(record)) this.#decide(record, facts);
    const { enabled, sample } = this.#settings.access;
    if (!enabled || (sample < 1 && wentWell(record.status, record.reason) && this.#random.unit() >= sample))
      return;
    this.#log.writeRequest(record, shownPath(record.path, this.#redactQuery));
  }

  #trace(record: RequestRecord, trace: TraceContext, exporter: OtlpExporter): void {
    const path = shownPath(record.path, this.#redactQuery);
    exporter.add(spansOf(record, trace, path, this.#clock.wallMs()));
  }

  /** Null: no spans are exported. The previous exporter sends what it has. */
  setExport(settings: OtlpSettings | null, version: string): void {
    if (isDeepStrictEqual(settings, this.#exportSettings)) return;
    this.#exportSettings = settings;
    void this.#exporter?.close();
    const { metrics } = this;
    this.#exporter =
      settings === null
        ? null
        : new OtlpExporter(
            settings,
            version,
            {
              exported: spans => metrics.spansExported(spans),
              dropped: (cause, spans) => metrics.spansDropped(cause, spans),
              onFailing: why => this.emit({ kind: 'tracing_export', why }),
            },
            this.#clock,
          );
  }

  #decide(record: RequestRecord, facts: FactsOf): void {
    const path = shownPath(record.path, this.#redactQuery);
    this.decisions.add(record, facts.decisionFacts(), path, this.#clock.wallMs());
  }

  rateLimited(limiter: string, mode: 'enforce' | 'shadow'): void {
    this.metrics.rateLimited(limiter, mode);
    if (mode === 'enforce') this.recentlyLimited.add(limiter, mode, this.#clock.nowMs());
  }

  withoutSecrets(url: string): string {
    return shownPath(url, this.#redactQuery);
  }
  retryRefused(cluster: string, why: string): void {
    this.metrics.clusters.retryRefused(cluster, why);
  }
  connectionCut(listener: string, cause: CutCause): void {
    this.metrics.listeners.count('cut', listener, cause);
  }
  shed(signal: OverloadSignal): void {
    this.metrics.shed(signal);
  }

  emit(event: Event): void {
    this.#count(event);
    this.#log.writeEvent(event, eventLevel(event));
  }

  #count(event: Event): void {
    this.metrics.eventSaid(event.kind);
    switch (event.kind) {
      case 'connections_refused':
        this.metrics.listeners.count('refused', event.listener, event.cause, event.count);
        break;
      case 'tls_refused':
        this.metrics.listeners.count('tlsRefused', event.listener, event.cause, event.count);
        this.recentTlsRefusals.add(event.listener, event.cause, this.#clock.nowMs(), event.count);
        break;
      case 'proxy_protocol_refused':
        this.metrics.listeners.count('proxyProtocolRefused', event.listener, event.cause, event.count);
        break;
      case 'health_changed':
        this.metrics.clusters.healthChanged(event.cluster, event.endpointLabel, event.to);
        break;
      case 'health_disagreement':
        if (event.disagree) this.metrics.clusters.disagreed(event.cluster, event.endpointLabel);
        break;
      case 'reload':
        this.metrics.reloaded(event.result);
        break;
      case 'rollback':
        if (event.result === 'applied') this.metrics.reloaded('rolled_back'); // a rollback that is not possible says nothing about the file
        break;
    }
  }
}
