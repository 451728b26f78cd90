/**
 * What the proxy says about itself: one closed union of events, and the record of one request.
 * `telemetry.ts` is the one place where they become log lines and metrics.
 */
import type { RefusalCause } from '../net/connection.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import type { Failure, FailureKind } from '../resilience/failure.ts';
import type { OverloadChange } from '../resilience/overload.ts';
import type { TraceContext } from './trace_context.ts';

/** One attempt to get an answer from one endpoint. Times are milliseconds of the monotonic clock. */
export interface AttemptRecord {
  /** The address that was tried. */
  readonly endpoint: string;
  /** Id of the span of this attempt; null if the request has no trace. */
  readonly spanId: string | null;
  /** As the configuration has it, perhaps a name: for metrics. */
  readonly endpointLabel: string;
  readonly startedAtMs: number;
  /** From lease to a connection that can be written to; 0 for one that was open already, null if none came. */
  connectMs: number | null;
  /** From the start of the attempt to the head of the answer. */
  firstByteMs: number | null;
  endedAtMs: number | null;
  status: number | null;
  reason: FailureKind | null;
  /** What was measured, where the reason does not say it all. */
  detail: string | null;
  reused: boolean;
}

/** A limit in time that was reached. */
export interface FiredTimeout {
  /** Name of the timeout, as in docs/timeouts.md. */
  readonly name: string;
  readonly ms: number;
  /** The line that set it (`file:line:col`), `default`, or the field of the request. */
  readonly origin: string;
}

/** What a rate limit said to one request. */
export interface AskedLimit {
  readonly limiter: string;
  readonly mode: 'enforce' | 'shadow';
  readonly admitted: boolean;
  /** How many more requests of the same key it would have admitted then. */
  readonly left: number;
}

/** Everything that is known of a request, written when it is over. */
export interface RequestRecord {
  readonly requestId: string;
  readonly traceId: string | null;
  /** Null: no trace is recorded here. */
  readonly trace: TraceContext | null;
  readonly listener: string;
  readonly clientIp: string;
  readonly peerIp: string;
  readonly method: string;
  readonly host: string;
  /** The path as received, with its query. */
  readonly path: string;
  /** Only asked for by the formats that show them. */
  readonly referer: string | null;
  readonly userAgent: string | null;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** What was sent, or 499 when the client had left before. */
  readonly status: number;
  readonly reason: FailureKind | null;
  /** What was measured of it. */
  readonly failure: Failure | null;
  /** The one that has made it fail. */
  readonly timeout: FiredTimeout | null;
  /** Why what failed was not tried again (`budget_empty`); null where there was nothing to repeat. */
  readonly retryRefused: string | null;
  /** Of a gRPC call that has come to an end; null: it is none, or was cut. */
  readonly grpcStatus: number | null;
  /** Somebody who may has asked for its decision record. */
  readonly explainWanted: boolean;
  readonly route: string | null;
  readonly cluster: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly bytesIn: number; // body only
  readonly bytesOut: number; // body only
  readonly startedAtMs: number;
  /** Time spent waiting for a connection slot, over all attempts. */
  readonly queueMs: number;
  /** Time spent waiting before attempts were repeated. */
  readonly pausedMs: number;
  readonly endedAtMs: number;
  readonly tls: string | null;
  /** Digest of the plan on which the request ended. */
  readonly plan: string;
}

export type Event =
  | { readonly kind: 'started'; readonly version: string; readonly plan: string }
  | { readonly kind: 'listener_opened'; readonly listener: string; readonly address: string }
  | { readonly kind: 'listener_closed'; readonly listener: string }
  /** Said at most once a second for each listener and cause; `count` is how many since the last time. */
  | {
      readonly kind: 'connections_refused';
      readonly listener: string;
      readonly cause: RefusalCause;
      readonly count: number;
    }
  /** A client did not get through the TLS handshake; said as the one above. `code` is the alert, or what OpenSSL says. */
  | {
      readonly kind: 'tls_refused';
      readonly listener: string;
      readonly cause: TlsRefusal;
      readonly code: string;
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
  /** Probes say that an endpoint is well while its requests fail; or that is over. */
  | {
      readonly kind: 'health_disagreement';
      readonly cluster: string;
      readonly endpoint: string;
      readonly endpointLabel: string;
      readonly disagree: boolean;
      readonly probe: string;
      readonly traffic: string;
    }
  /** Most of a cluster is down, so that everyone serves; or no longer. */
  | {
      readonly kind: 'panic_changed';
      readonly cluster: string;
      readonly panic: boolean;
      readonly serving: number;
    }
  /** A name has got other addresses. */
  | {
      readonly kind: 'endpoints_changed';
      readonly cluster: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /** Said once when lookups begin to fail; `kept` is how many addresses of the last success stay in use. */
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
      /** Why it has opened, and how long nothing is sent. */
      readonly cause?: string;
      readonly forMs?: number;
    }
  | {
      /** `rollback`: the plan is one that ran before. */
      readonly kind: 'reload' | 'rollback';
      readonly result: 'applied' | 'unchanged' | 'rejected';
      readonly trigger: 'signal' | 'watch' | 'admin' | 'rollback' | 'probation';
      readonly plan: string;
      readonly problems: readonly string[];
      readonly tookMs: number;
    }
  /** A certificate of a listener ends soon, or has ended; said once a day. */
  | {
      readonly kind: 'certificate';
      readonly listener: string;
      readonly subject: string;
      readonly notAfter: string;
      readonly expired: boolean;
    }
  /** The process has begun to refuse requests because it has too much to do, or has stopped. */
  | ({ readonly kind: 'overload' } & OverloadChange)
  /** Somebody has changed something through the admin API, or tried to. */
  | {
      readonly kind: 'audit';
      readonly action: string;
      /** The address of the peer, or `unix`. */
      readonly by: string;
      readonly userAgent: string | null;
      readonly result: string;
    }
  /** Spans do not reach the collector; `why` null: they do again. */
  | { readonly kind: 'tracing_export'; readonly why: string | null }
  | { readonly kind: 'log_level_changed'; readonly level: string; readonly forMs: number | null }
  /** An operator has taken an endpoint out, or put it back. */
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
      /** Who wanted it, or which time is over; null: it is the next one in order. */
      readonly cause: string | null;
    }
  /** The time for requests in flight is over, or somebody has forced the end: these get `shutting_down` or are cut. */
  | {
      readonly kind: 'requests_cut';
      /** The one that a reload has removed; null: the process ends. */
      readonly listener: string | null;
      readonly count: number;
      /** By the name of their route; `-`: none had matched yet. */
      readonly routes: Readonly<Record<string, number>>;
    }
  /** An exception that reached the outermost catch: a bug of ours. `requestId` null: it is not known whose. */
  | { readonly kind: 'defect'; readonly requestId: string | null; readonly detail: string }
  | { readonly kind: 'warning'; readonly message: string };
