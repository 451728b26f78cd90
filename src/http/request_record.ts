/**
 * The record of a finished request for logs, metrics and traces, written once. It is made from three sources: the
 * context (who asked), the responder (the response to the client) and the attempt loop (what the backends did).
 */
import type { AttemptRecord, FiredTimeout, RequestRecord } from '../observability/events.ts';
import type { TraceContext } from '../observability/trace_context.ts';
import type { Failure, FailureKind } from '../resilience/failure.ts';
import type { PathMatch } from '../routing/route.ts';
import { findHeader } from '../security/headers.ts';
import type { RawRequest } from '../security/request_head.ts';
import type { RequestContext } from './request.ts';

/** How the client was answered; written only by the responder. */
interface ClientFacts {
  readonly status: number;
  readonly reason: FailureKind | null;
  readonly failure: Failure | null;
  readonly timeout: FiredTimeout | null;
  readonly grpcStatus: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What happened on the side of the backends; written only by `Forwarding`. */
export interface UpstreamFacts {
  readonly attempts: readonly AttemptRecord[];
  /** Time spent waiting for a connection, over all attempts. */
  readonly queueMs: number;
  /** Time spent in pauses between attempts. */
  readonly pausedMs: number;
  /** Why a failed attempt was not repeated; null if there was nothing to repeat. */
  readonly retryRefused: string | null;
}

/** For requests that are not forwarded. */
export const NOTHING_UPSTREAM: UpstreamFacts = Object.freeze({
  attempts: Object.freeze([]),
  queueMs: 0,
  pausedMs: 0,
  retryRefused: null,
});

export class FinishedRequest implements RequestRecord {
  readonly #context: RequestContext;
  readonly requestId: string;
  readonly traceId: string | null;
  readonly trace: TraceContext | null;
  readonly listener: string;
  readonly clientIp: string;
  readonly user: string | null;
  readonly peerIp: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly protocol: RawRequest['protocol'];
  readonly status: number;
  readonly reason: FailureKind | null;
  readonly failure: Failure | null;
  readonly timeout: FiredTimeout | null;
  readonly retryRefused: string | null;
  readonly grpcStatus: number | null;
  readonly explainWanted: boolean;
  readonly route: string | null;
  readonly cluster: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly startedAtMs: number;
  readonly queueMs: number;
  readonly pausedMs: number;
  readonly endedAtMs: number;
  readonly tls: string | null;
  readonly clientCertificate: string | null;
  readonly plan: string;

  constructor(context: RequestContext, client: ClientFacts, upstream: UpstreamFacts, endedAtMs: number) {
    this.#context = context;
    this.requestId = context.requestId;
    this.traceId = context.traceId;
    this.trace = context.trace;
    this.listener = context.bound.settings.name;
    this.clientIp = context.clientIp;
    this.user = context.user;
    this.peerIp = context.peer.socketIp;
    this.method = context.raw.method;
    this.host = context.host;
    this.path = context.raw.target;
    this.protocol = context.protocol;
    this.status = client.status;
    this.reason = client.reason;
    this.failure = client.failure;
    this.timeout = client.timeout;
    this.retryRefused = upstream.retryRefused;
    this.grpcStatus = client.grpcStatus;
    this.explainWanted = context.explainWanted;
    this.route = context.route === null ? null : context.route.settings.name;
    this.cluster = context.cluster === null ? null : context.cluster.name;
    this.attempts = upstream.attempts;
    this.bytesIn = client.bytesIn;
    this.bytesOut = client.bytesOut;
    this.startedAtMs = context.startedAtMs;
    this.queueMs = upstream.queueMs;
    this.pausedMs = upstream.pausedMs;
    this.endedAtMs = endedAtMs;
    this.tls = context.tls;
    this.clientCertificate = context.peer.tls?.client?.subject ?? null;
    this.plan = context.plane.digest;
  }

  /** Computed on demand, because only some log formats show it. */
  get referer(): string | null {
    const { raw, services } = this.#context;
    const referer = findHeader(raw.headers, 'referer');
    return referer === null ? null : services.telemetry.withoutSecrets(referer);
  }
  get routePath(): PathMatch | null {
    return this.#context.route?.settings.match.path ?? null;
  }
  get userAgent(): string | null {
    return findHeader(this.#context.raw.headers, 'user-agent');
  }
}
