/**
 * The metric children of a request: looked up when a plan is assembled, so that a request only adds to them.
 *
 * A handle lives as long as a plan names its route or cluster. Then it is retired: a request that still ends on the old plan
 * must not bring back a series that was removed from the registry.
 */
import type { Counter, Histogram } from 'prom-client';
import { FAILURE_RULES, type FailureKind, isFailure } from '../resilience/failure.ts';
import type { AttemptRecord, RequestRecord } from './events.ts';
import { LatencyHistory } from './latency_history.ts';
import { TrafficStats } from './traffic_stats.ts';

/**
 * How many routes, and how many endpoints, start with their series at 0.
 *
 * `increase()` and `rate()` see a counter only from its second sample on: without a 0 the first failure of a route would be
 * invisible to an alert. A series costs about 2 us of every scrape, in which the event loop does nothing else, so past this
 * number only what was counted has a series.
 */
export const STARTED_AT_ZERO_MAX = 50;

/** Failures that are not the client's: what alerts are about. */
const ALERTED_REASONS = (Object.keys(FAILURE_RULES) as FailureKind[]).filter(
  reason => FAILURE_RULES[reason].blame !== 'client',
);
/** Codes of a plain success and of failures of the proxy and its backends. */
const ALERTED_CODES = [200, 500, 502, 503, 504];
/** Results of an attempt, which can fail only by its backend. */
const ALERTED_RESULTS = [
  '2xx',
  '5xx',
  ...ALERTED_REASONS.filter(reason => FAILURE_RULES[reason].blame === 'upstream'),
];

/** Maximum of addresses of one cluster, because host names may change their addresses for ever. */
const ADDRESSES_MAX = 1_000;

type CounterChild = Counter.Internal;
type HistogramChild = Histogram.Internal<string>;

/** An address that nothing was sent to for so long has no recent figures to lose. */
const FORGOTTEN_AFTER_MS = 60_000;

interface Recent {
  readonly stats: TrafficStats;
  readonly latency: LatencyHistory;
  lastAtMs: number;
}

/** The metrics of one route on one listener. */
export class RouteHandles {
  readonly listener: string;
  readonly route: string;
  readonly #makeCode: (code: number) => CounterChild;
  readonly #makeReason: (reason: FailureKind) => CounterChild;
  readonly #duration: HistogramChild;
  /** The last minute, for the status page. */
  readonly stats = new TrafficStats();
  readonly #codes: (CounterChild | undefined)[] = [];
  readonly #reasons = new Map<FailureKind, CounterChild>();
  #started = false;
  #retired = false;

  constructor(
    listener: string,
    route: string,
    makeCode: (code: number) => CounterChild,
    makeReason: (reason: FailureKind) => CounterChild,
    duration: HistogramChild,
  ) {
    this.listener = listener;
    this.route = route;
    this.#makeCode = makeCode;
    this.#makeReason = makeReason;
    this.#duration = duration;
  }

  requestFinished(record: RequestRecord): void {
    if (this.#retired) return;
    this.#code(record.status).inc();
    this.#duration.observe((record.endedAtMs - record.startedAtMs) / 1_000);
    if (record.reason !== null) this.#failure(record.reason).inc();
    const { startedAtMs, endedAtMs, status, reason } = record;
    this.stats.record(endedAtMs - startedAtMs, isFailure(status, reason), endedAtMs);
  }

  /** Starts the series that alerts are about at 0; nothing the second time. */
  startAtZero(): void {
    if (this.#started) return;
    this.#started = true;
    for (const code of ALERTED_CODES) this.#code(code).inc(0);
    for (const reason of ALERTED_REASONS) this.#failure(reason).inc(0);
  }

  /** The status codes that were counted. */
  retire(): readonly number[] {
    this.#retired = true;
    return this.#codes.flatMap((child, code) => (child === undefined ? [] : [code]));
  }

  #code(status: number): CounterChild {
    const known = this.#codes[status];
    if (known !== undefined) return known;
    const child = this.#makeCode(status);
    this.#codes[status] = child;
    return child;
  }

  #failure(reason: FailureKind): CounterChild {
    const known = this.#reasons.get(reason);
    if (known !== undefined) return known;
    const child = this.#makeReason(reason);
    this.#reasons.set(reason, child);
    return child;
  }
}

/** The metrics of one cluster and of each of its endpoints. */
export class ClusterHandles {
  readonly cluster: string;
  readonly #firstByte: HistogramChild;
  readonly #connect: HistogramChild;
  readonly #makeAttempt: (endpoint: string, result: string) => CounterChild;
  readonly #attempts = new Map<string, Map<string, CounterChild>>();
  /** Endpoints of the plan that is being assembled. */
  #named = new Set<string>();
  /** Endpoints that some plan names; others are not counted. Null: no restriction. */
  #endpoints: Set<string> | null = null;
  /** What each address did recently, for the status page. */
  readonly #recent = new Map<string, Recent>();
  /** Endpoints whose series were started at 0. */
  readonly #started = new Set<string>();
  #retired = false;

  constructor(
    cluster: string,
    firstByte: HistogramChild,
    connect: HistogramChild,
    makeAttempt: (endpoint: string, result: string) => CounterChild,
  ) {
    this.cluster = cluster;
    this.#firstByte = firstByte;
    this.#connect = connect;
    this.#makeAttempt = makeAttempt;
  }

  get retired(): boolean {
    return this.#retired;
  }

  /** `retried`: another attempt followed. */
  attemptFinished(attempt: AttemptRecord, retried = false): void {
    if (this.#retired) return;
    if (attempt.endedAtMs !== null) this.#recordFigures(attempt, attempt.endedAtMs, retried);
    this.#attempt(attempt.endpointLabel, attempt.reason ?? statusClass(attempt.status))?.inc();
    if (attempt.firstByteMs !== null) this.#firstByte.observe(attempt.firstByteMs / 1_000);
    if (attempt.connectMs !== null && !attempt.reused) this.#connect.observe(attempt.connectMs / 1_000);
  }

  /** Null: nothing was sent there recently. */
  statsOf(address: string): TrafficStats | null {
    return this.#recent.get(address)?.stats ?? null;
  }
  /** Null: nothing was sent there recently. */
  latencyOf(address: string): LatencyHistory | null {
    return this.#recent.get(address)?.latency ?? null;
  }

  #recordFigures(
    { endpoint, startedAtMs, firstByteMs, reason, status }: AttemptRecord,
    endedAtMs: number,
    retried: boolean,
  ): void {
    const recent = this.#recentOf(endpoint, endedAtMs);
    if (recent === null) return;
    recent.lastAtMs = endedAtMs;
    const failed = reason === null ? (status ?? 0) >= 500 : FAILURE_RULES[reason].blame === 'upstream';
    recent.stats.record(endedAtMs - startedAtMs, failed, endedAtMs, retried);
    if (firstByteMs !== null) recent.latency.record(firstByteMs, endedAtMs);
  }

  /**
   * Null: too many addresses are in use. One is looked at and moved behind the others, so that those that are out of use make
   * way in turn, and a request never pays for more than that (the clock algorithm of page replacement).
   */
  #recentOf(endpoint: string, nowMs: number): Recent | null {
    const known = this.#recent.get(endpoint);
    if (known !== undefined) return known;
    const [oldest] = this.#recent;
    if (oldest !== undefined && this.#recent.size >= ADDRESSES_MAX) {
      const [address, recent] = oldest;
      this.#recent.delete(address);
      if (nowMs - recent.lastAtMs < FORGOTTEN_AFTER_MS) {
        this.#recent.set(address, recent);
        return null;
      }
    }
    const made = { stats: new TrafficStats(), latency: new LatencyHistory(), lastAtMs: nowMs };
    this.#recent.set(endpoint, made);
    return made;
  }

  nameEndpoints(endpoints: readonly string[]): void {
    this.#endpoints ??= new Set();
    for (const endpoint of endpoints) {
      this.#named.add(endpoint);
      this.#endpoints.add(endpoint);
    }
  }

  /** Starts the series of the first `most` endpoints at 0; returns those that were not started before. */
  startAtZero(most: number): readonly string[] {
    const first = [...(this.#endpoints ?? [])].slice(0, most);
    const fresh = first.filter(endpoint => !this.#started.has(endpoint));
    for (const endpoint of fresh) {
      this.#started.add(endpoint);
      for (const result of ALERTED_RESULTS) this.#attempt(endpoint, result)?.inc(0);
    }
    return fresh;
  }

  get endpointCount(): number {
    return this.#endpoints?.size ?? 0;
  }

  /** Removes the endpoints that were not named since the last call, and returns the labels that were counted for them. */
  retainNamed(): readonly { readonly endpoint: string; readonly results: readonly string[] }[] {
    const named = this.#named;
    this.#named = new Set();
    if (this.#endpoints === null) return [];
    const gone = [...this.#endpoints].filter(endpoint => !named.has(endpoint));
    this.#endpoints = named;
    return gone.map(endpoint => this.#forget(endpoint));
  }

  retire(): readonly { readonly endpoint: string; readonly results: readonly string[] }[] {
    this.#retired = true;
    return [...new Set([...this.#attempts.keys(), ...(this.#endpoints ?? [])])].map(endpoint =>
      this.#forget(endpoint),
    );
  }

  /** Whether the endpoint may be counted. */
  has(endpoint: string): boolean {
    return !this.#retired && this.#endpoints?.has(endpoint) !== false;
  }

  #forget(endpoint: string) {
    const results = [...(this.#attempts.get(endpoint)?.keys() ?? [])];
    this.#attempts.delete(endpoint);
    this.#started.delete(endpoint);
    return { endpoint, results };
  }

  #attempt(endpoint: string, result: string): CounterChild | null {
    let results = this.#attempts.get(endpoint);
    if (results === undefined) {
      if (!this.has(endpoint)) return null;
      results = new Map();
      this.#attempts.set(endpoint, results);
    }
    const known = results.get(result);
    if (known !== undefined) return known;
    const child = this.#makeAttempt(endpoint, result);
    results.set(result, child);
    return child;
  }
}

function statusClass(status: number | null): string {
  return status === null ? 'none' : `${Math.floor(status / 100)}xx`;
}
