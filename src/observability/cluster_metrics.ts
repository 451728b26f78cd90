/** Metrics of clusters and their endpoints. */
import type { Registry } from 'prom-client';
import { HEALTH_STATES } from '../health/state.ts';
import { FAILURE_RULES } from '../resilience/failure.ts';
import { RETRY_REFUSALS } from '../resilience/retries.ts';
import { DURATION_BUCKETS_S, defineCounter, defineHistogram } from './metric_definition.ts';
import { ClusterHandles, STARTED_AT_ZERO_MAX } from './metric_handles.ts';

/** How the request ended that was retried. */
const RETRY_RESULTS = ['success', ...Object.keys(FAILURE_RULES)];
const OF_ENDPOINT: ['cluster', 'endpoint'] = ['cluster', 'endpoint'];

export class ClusterMetrics {
  readonly #attempts;
  readonly #connect;
  readonly #firstByte;
  readonly #retries;
  readonly #retriesRefused;
  readonly #ejections;
  readonly #transitions;
  readonly #disagreements;
  readonly #clusters = new Map<string, ClusterHandles>();
  /** Requested since the last `retainUsed`. */
  #used = new Set<ClusterHandles>();

  constructor(registry: Registry) {
    this.#attempts = defineCounter(registry, 'upstream_attempts_total', 'Attempts by endpoint and result', [
      ...OF_ENDPOINT,
      'result',
    ]);
    this.#connect = defineHistogram(
      registry,
      'upstream_connect_seconds',
      'Time to open a connection to a backend',
      ['cluster'],
      DURATION_BUCKETS_S,
    );
    this.#firstByte = defineHistogram(
      registry,
      'upstream_first_byte_seconds',
      "From sending a request to the head of the backend's answer",
      ['cluster'],
      DURATION_BUCKETS_S,
    );
    const retries = 'Retries by result of the request';
    this.#retries = defineCounter(registry, 'retries_total', retries, ['cluster', 'result']);
    const refused = 'Failures that were not retried, by the reason against it';
    this.#retriesRefused = defineCounter(registry, 'retries_refused_total', refused, ['cluster', 'why']);
    const ejections = 'Ejections of an endpoint by passive health checks';
    this.#ejections = defineCounter(registry, 'endpoint_ejections_total', ejections, OF_ENDPOINT);
    const transitions = 'Health changes of an endpoint by new state';
    this.#transitions = defineCounter(registry, 'endpoint_transitions_total', transitions, [
      ...OF_ENDPOINT,
      'to',
    ]);
    const disagreements = 'Times that probes succeeded while requests failed';
    this.#disagreements = defineCounter(registry, 'endpoint_disagreements_total', disagreements, OF_ENDPOINT);
  }

  /** `endpoints`: those of the plan that is being assembled; absent: any is counted. */
  handles(cluster: string, endpoints?: readonly string[]): ClusterHandles {
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

  /** Starts the series of the first `STARTED_AT_ZERO_MAX` endpoints, and of their clusters, at 0. */
  startAtZero(): void {
    let left = STARTED_AT_ZERO_MAX;
    for (const [cluster, handles] of this.#clusters) {
      if (left <= 0) return;
      const fresh = handles.startAtZero(left);
      left -= handles.endpointCount;
      if (fresh.length === 0) continue;
      for (const endpoint of fresh) this.#startEndpoint(cluster, endpoint);
      this.#retries.inc({ cluster, result: 'success' }, 0);
      for (const why of RETRY_REFUSALS) this.#retriesRefused.inc({ cluster, why }, 0);
    }
  }

  #startEndpoint(cluster: string, endpoint: string): void {
    this.#ejections.inc({ cluster, endpoint }, 0);
    this.#disagreements.inc({ cluster, endpoint }, 0);
    for (const to of HEALTH_STATES) this.#transitions.inc({ cluster, endpoint, to }, 0);
  }

  /** After a swap: removes the series of clusters and endpoints that were not requested since the last call. */
  retainUsed(): void {
    for (const [name, handles] of this.#clusters) {
      const isUsed = this.#used.has(handles);
      this.#forgetEndpoints(name, isUsed ? handles.retainNamed() : handles.retire());
      if (isUsed) continue;
      this.#clusters.delete(name);
      this.#forget(name);
    }
    this.#used = new Set();
  }

  #forget(cluster: string): void {
    this.#firstByte.remove({ cluster });
    this.#connect.remove({ cluster });
    for (const result of RETRY_RESULTS) this.#retries.remove({ cluster, result });
    for (const why of RETRY_REFUSALS) this.#retriesRefused.remove({ cluster, why });
  }

  #forgetEndpoints(cluster: string, gone: ReturnType<ClusterHandles['retire']>): void {
    for (const { endpoint, results } of gone) {
      for (const result of results) this.#attempts.remove({ cluster, endpoint, result });
      this.#ejections.remove({ cluster, endpoint });
      this.#disagreements.remove({ cluster, endpoint });
      for (const to of HEALTH_STATES) this.#transitions.remove({ cluster, endpoint, to });
    }
  }

  // An event of a plan that is gone must not bring back series that only that plan had.
  retried({ cluster, retired }: ClusterHandles, result: string, retries: number): void {
    if (!retired) this.#retries.inc({ cluster, result }, retries);
  }
  retryRefused(cluster: string, why: string): void {
    if (this.#clusters.has(cluster)) this.#retriesRefused.inc({ cluster, why });
  }
  healthChanged(cluster: string, endpoint: string, to: string): void {
    if (this.#clusters.get(cluster)?.has(endpoint) !== true) return;
    this.#transitions.inc({ cluster, endpoint, to });
    if (to === 'ejected') this.#ejections.inc({ cluster, endpoint });
  }
  disagreed(cluster: string, endpoint: string): void {
    if (this.#clusters.get(cluster)?.has(endpoint) === true) this.#disagreements.inc({ cluster, endpoint });
  }
}
