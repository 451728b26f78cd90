/** The data of the status page. */
import type { RecentRefusals } from '../net/connection.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import type { LatencySummary } from '../observability/latency_history.ts';
import type { StatsSummary } from '../observability/traffic_stats.ts';
import type { RecentCount } from '../resilience/recent_counts.ts';
import type { FailureGroup } from './failure_groups.ts';
import type { Sample } from './samples.ts';
import type { Slow } from './slow_endpoints.ts';

/** The condition of an endpoint, also in decision records. */
export interface EndpointCondition {
  readonly endpoint: string;
  readonly weight: number;
  /**
   * A state of `EndpointHealth`, or: `drained`, by an operator; `unchecked`, healthy as far as requests show, without
   * a health check; `unresolved`, its host name has no address.
   */
  readonly state: string;
  readonly sinceMs: number;
  /** The last error of a probe or a request, and its age. */
  readonly lastError: string | null;
  readonly lastErrorAgoMs: number | null;
  readonly circuit: string | null;
  /** Why the circuit is not closed, and for how long. */
  readonly circuitWhy: string | null;
}

export interface EndpointView extends EndpointCondition {
  readonly inFlight: number;
  readonly connections: { readonly open: number; readonly inUse: number };
  readonly connectionsMax: number;
  readonly disagrees: boolean;
  readonly ejections: number;
  readonly figures: StatsSummary;
  readonly latency: LatencySummary;
  /** Null: not slow, or not known. */
  readonly slow: Slow | null;
}

export interface ClusterView {
  readonly name: string;
  readonly policy: string;
  readonly queue: number;
  readonly queueMax: number;
  readonly serving: number;
  readonly retryBudget: number;
  readonly circuit: string | null;
  readonly circuitWhy: string | null;
  readonly panic: boolean;
  /** The attempts of all endpoints together. */
  readonly figures: StatsSummary;
  readonly endpoints: readonly EndpointView[];
}

export interface RouteView {
  readonly name: string;
  readonly listeners: readonly string[];
  readonly match: string;
  readonly action: string;
  /** The only cluster that it forwards to; null: none, or several. */
  readonly cluster: string | null;
  readonly figures: StatsSummary;
}

export interface ListenerView {
  readonly name: string;
  /** That it is bound to; null: it is not bound. */
  readonly address: string | null;
  readonly tls: boolean;
  /** Open connections by their state. */
  readonly connections: Readonly<Record<string, number>>;
  /** Null: no limit. */
  readonly connectionsMax: number | null;
}

/** A store of shared rate limits. */
export interface StoreView {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly sinceMs: number;
  readonly lastError: string | null;
  readonly inFlight: number;
  readonly onError: 'allow' | 'deny';
}

/** Something that the process may hold so many of. */
export interface LimitView {
  /** Such as `client connections`. */
  readonly what: string;
  /** Null: of the whole process. */
  readonly listener: string | null;
  readonly used: number;
  readonly max: number;
  /** The key of the configuration that sets the limit; null: the system does (RLIMIT_NOFILE). */
  readonly key: string | null;
}

/** TLS handshakes of the last minute on one listener. */
export interface HandshakesView {
  readonly listener: string;
  readonly succeeded: number;
  /** The most frequent cause first. */
  readonly failed: readonly { readonly cause: TlsRefusal; readonly count: number }[];
}

/** How busy the process was in the last ten seconds. */
export interface LoadView {
  /** Share of the time in which the event loop ran, 0 to 1. */
  readonly loopShare: number;
  /** CPU time of all threads as a share of what the process may use, 0 to 1. */
  readonly cpuShare: number;
  readonly loopDelayMs: number;
  /** `process.overload.eventLoopDelay`; null: off. */
  readonly loopDelayMaxMs: number | null;
}

export interface PageView {
  /** Which process this is: the name of its machine, its process id, and its name in the `Via` field. */
  readonly host: string;
  readonly pid: number;
  readonly instance: string;
  readonly version: string;
  readonly phase: string;
  readonly uptimeMs: number;
  readonly plan: string;
  readonly lastReload: {
    readonly at: string;
    readonly trigger: string;
    readonly result: { readonly kind: string; readonly problems?: readonly string[] };
  } | null;
  /** False after a rollback: the file contains another plan. */
  readonly isFromFile: boolean;
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly listeners: readonly ListenerView[];
  /** `lastMinute`: requests that have ended in the last minute. */
  readonly requests: { readonly active: number; readonly tunnels: number; readonly lastMinute: number };
  readonly overload: string | null;
  readonly refusals: readonly RecentRefusals[];
  /** Listeners with TLS handshakes in the last minute. */
  readonly handshakes: readonly HandshakesView[];
  /** Requests of the last minute that a rate limit has refused: `about` is the limit. */
  readonly rateLimited: readonly RecentCount[];
  /** Failed requests of the last minute: `about` is the listener, `cause` the reason, or `status 500` from a backend. */
  readonly recentFailures: readonly RecentCount[];
  /** Log lines that were lost in the last minute. */
  readonly linesLost: number;
  readonly limits: readonly LimitView[];
  readonly load: LoadView;
  /** `leftMs` is negative for an expired certificate. */
  readonly certificates: readonly {
    readonly listener: string;
    readonly subject: string;
    readonly notAfter: string;
    readonly leftMs: number;
  }[];
  readonly figures: StatsSummary;
  readonly overheadMs: number | null;
  readonly samples: readonly Sample[];
  readonly clusters: readonly ClusterView[];
  readonly stores: readonly StoreView[];
  readonly routes: readonly RouteView[];
  readonly failureGroups: readonly FailureGroup[];
}
