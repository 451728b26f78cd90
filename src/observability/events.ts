/**
 * A closed union of events, and the record of one request. `telemetry.ts` is the only place where they become log
 * lines and metrics.
 */
import type { ProxyProtocolRefusal, RefusalCause } from '../net/connection.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import type { Failure, FailureKind } from '../resilience/failure.ts';
import type { OverloadChange } from '../resilience/overload.ts';
import type { PathMatch } from '../routing/route.ts';
import type { TraceContext } from './trace_context.ts';

/** One attempt at one endpoint. Times are monotonic milliseconds. */
export interface AttemptRecord {
  /** The address that was tried. */
  readonly endpoint: string;
  /** Id of the span of this attempt; null if the request has no trace. */
  readonly spanId: string | null;
  /** The address as configured, possibly a host name: for metrics. */
  readonly endpointLabel: string;
  readonly startedAtMs: number;
  /** From the lease to a connection that can be written to; 0 for a reused connection, null if there was none. */
  connectMs: number | null;
  /** From the start of the attempt to the response head. */
  firstByteMs: number | null;
  endedAtMs: number | null;
  status: number | null;
  reason: FailureKind | null;
  /** The measured detail, where the reason does not say everything. */
  detail: string | null;
  reused: boolean;
}

/** A timeout that was reached. */
export interface FiredTimeout {
  /** Name of the timeout, as in docs/timeouts.md. */
  readonly name: string;
  readonly ms: number;
  /** The line of the configuration that set it (`file:line:col`), `default`, or the request field. */
  readonly origin: string;
}

/** What a rate limit decided about one request. */
export interface AskedLimit {
  readonly limiter: string;
  readonly mode: 'enforce' | 'shadow';
  readonly admitted: boolean;
  /** How many more requests of the same key it would have admitted at that time; null: its store did not answer. */
  readonly left: number | null;
}

/** Everything that is known about a finished request. */
export interface RequestRecord {
  readonly requestId: string;
  readonly traceId: string | null;
  /** Null: no trace is recorded here. */
  readonly trace: TraceContext | null;
  readonly listener: string;
  readonly clientIp: string;
  /** Name of the user who has logged in (`basicAuth`); null: none. */
  readonly user: string | null;
  readonly peerIp: string;
  readonly method: string;
  readonly host: string;
  /** The path as received, with its query. */
  readonly path: string;
  /** Computed on demand for the formats that show it. */
  readonly referer: string | null;
  readonly userAgent: string | null;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** The status that was sent; 499 if the client had left before. */
  readonly status: number;
  readonly reason: FailureKind | null;
  /** The failure with its measured facts. */
  readonly failure: Failure | null;
  /** The timeout that caused the failure. */
  readonly timeout: FiredTimeout | null;
  /** Why a failed attempt was not repeated (`budget_empty`); null if there was nothing to repeat. */
  readonly retryRefused: string | null;
  /** Status of a gRPC call; null if it is none, or was cut off. */
  readonly grpcStatus: number | null;
  /** A client that may ask for the decision record has asked for it. */
  readonly explainWanted: boolean;
  readonly route: string | null;
  /** What the route asks of the path; computed on demand. */
  readonly routePath: PathMatch | null;
  readonly cluster: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly bytesIn: number; // body only
  readonly bytesOut: number; // body only
  readonly startedAtMs: number;
  /** Time spent waiting for a connection, over all attempts. */
  readonly queueMs: number;
  /** Time spent in pauses between attempts. */
  readonly pausedMs: number;
  readonly endedAtMs: number;
  readonly tls: string | null;
  /** Subject of the client's verified certificate; null: there is none. */
  readonly clientCertificate: string | null;
  /** Digest of the plan on which the request ended. */
  readonly plan: string;
}

/** One change of a reload; the log has all that is known of it. */
interface ChangedPart {
  /** Path in the plan. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
}

export type Event =
  | { readonly kind: 'started'; readonly version: string; readonly plan: string }
  | { readonly kind: 'listener_opened'; readonly listener: string; readonly address: string }
  | { readonly kind: 'listener_closed'; readonly listener: string }
  /** Emitted at most once a second per listener and cause; `count` is the number since the last event. */
  | {
      readonly kind: 'connections_refused';
      readonly listener: string;
      readonly cause: RefusalCause;
      readonly count: number;
    }
  /** A client failed in the TLS handshake. Emitted like the event above; `code` is the alert, or OpenSSL's code. */
  | {
      readonly kind: 'tls_refused';
      readonly listener: string;
      readonly cause: TlsRefusal;
      readonly code: string;
      readonly count: number;
    }
  /** Connections without a PROXY protocol header that could be believed; said as the ones above. `peerIp` is whose, of the last one. */
  | {
      readonly kind: 'proxy_protocol_refused';
      readonly listener: string;
      readonly cause: ProxyProtocolRefusal;
      readonly peerIp: string;
      readonly count: number;
    }
  | {
      readonly kind: 'health_changed';
      readonly cluster: string;
      readonly endpoint: string;
      readonly endpointLabel: string;
      readonly from: string;
      readonly to: string;
      readonly cause: string;
    }
  /** Probes of an endpoint succeed while its requests fail; or that is over. */
  | {
      readonly kind: 'health_disagreement';
      readonly cluster: string;
      readonly endpoint: string;
      readonly endpointLabel: string;
      readonly disagree: boolean;
      readonly probe: string;
      readonly traffic: string;
    }
  /** The cluster fell below its panic threshold, so that all its endpoints are eligible; or that is over. */
  | {
      readonly kind: 'panic_changed';
      readonly cluster: string;
      readonly panic: boolean;
      readonly serving: number;
    }
  /** The addresses of a host name have changed. */
  | {
      readonly kind: 'endpoints_changed';
      readonly cluster: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /** Emitted once when lookups begin to fail; `kept` is the number of addresses that stay in use. */
  | {
      readonly kind: 'name_failed';
      readonly cluster: string;
      readonly name: string;
      readonly code: string;
      readonly kept: number;
    }
  | {
      readonly kind: 'name_resolved';
      readonly cluster: string;
      readonly name: string;
      readonly addresses: readonly string[];
    }
  | {
      readonly kind: 'circuit_changed';
      readonly cluster: string;
      /** Null: the cluster as a whole. */
      readonly endpoint: string | null;
      readonly from: string;
      readonly to: string;
      /** Why it opened, and for how long. */
      readonly cause?: string;
      readonly forMs?: number;
    }
  | {
      /** `rollback`: the plan ran before. */
      readonly kind: 'reload' | 'rollback';
      readonly result: 'applied' | 'unchanged' | 'rejected';
      readonly trigger: 'signal' | 'watch' | 'certificates' | 'admin' | 'rollback' | 'probation';
      readonly plan: string;
      readonly problems: readonly string[];
      /** What has changed in meaning, with the class of each change and its traffic; only of an applied one. */
      readonly changes?: { readonly total: number; readonly first: readonly ChangedPart[] };
      readonly tookMs: number;
    }
  /** A certificate of a listener expires soon, or has expired; emitted once a day. */
  | {
      readonly kind: 'certificate';
      readonly listener: string;
      readonly subject: string;
      readonly notAfter: string;
      readonly expired: boolean;
    }
  /** The process has begun, or stopped, to refuse requests because it is overloaded. */
  | ({ readonly kind: 'overload' } & OverloadChange)
  /** Someone changed something through the admin API, or tried to. */
  | {
      readonly kind: 'audit';
      readonly action: string;
      /** The address of the peer, or `unix`. */
      readonly by: string;
      readonly userAgent: string | null;
      readonly result: string;
    }
  /** A store of shared rate limits cannot be reached; `why` null: it can be reached again. */
  | { readonly kind: 'limit_store'; readonly store: string; readonly why: string | null }
  /** The collector gets no spans; `why` null: it gets them again. */
  | { readonly kind: 'tracing_export'; readonly why: string | null }
  | { readonly kind: 'log_level_changed'; readonly level: string; readonly forMs: number | null }
  /** An operator has drained an endpoint, or made it ready again. */
  | {
      readonly kind: 'endpoint_drained' | 'endpoint_ready';
      readonly cluster: string;
      readonly endpoint: string;
    }
  | {
      readonly kind: 'phase_changed';
      readonly from: string;
      readonly to: string;
      readonly inFlight: number;
      /** Who caused the phase, or which time is over; null: it is the next one in order. */
      readonly cause: string | null;
    }
  /** The time for requests in flight is over, or the end was forced: these requests get `shutting_down` or are cut. */
  | {
      readonly kind: 'requests_cut';
      /** The listener, if a reload removed it; null: the process ends. */
      readonly listener: string | null;
      readonly count: number;
      /** Counts by the name of the route; `-`: none had matched yet. */
      readonly routes: Readonly<Record<string, number>>;
    }
  /** An exception that reached the outermost catch: a bug of the proxy. `requestId` null: the request is not known. */
  | { readonly kind: 'defect'; readonly requestId: string | null; readonly detail: string }
  | { readonly kind: 'warning'; readonly message: string };
