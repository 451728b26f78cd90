/**
 * One request from its head to its end: what is known of it, who works on it, and how it is answered.
 *
 * It is its own log record. Whoever answers, its end is told exactly once: when the client's side of the
 * exchange is over (`onClientClose`).
 */
import type { DecisionFacts } from '../observability/decision_ring.ts';
import type { AskedLimit, AttemptRecord, FiredTimeout, RequestRecord } from '../observability/events.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { TraceContext } from '../observability/trace_context.ts';
import type { Clock } from '../resilience/clock.ts';
import { describeDefect } from '../resilience/defect.ts';
import {
  FAILURE_RULES,
  type Failure,
  type FailureKind,
  GRPC_STATUS,
  isFailure,
} from '../resilience/failure.ts';
import type { Overload } from '../resilience/overload.ts';
import type { Random } from '../resilience/random.ts';
import { EXPLAIN_FIELD, findHeader } from '../security/headers.ts';
import type { RawRequest, RequestHead } from '../security/request_head.ts';
import type { ActiveMember, ActiveRequests } from './active_requests.ts';
import { ClientPace } from './client/slow_reader.ts';
import type { ClientListener, ClientStream } from './client/stream.ts';
import type { BoundCluster, BoundListener, BoundRoute, DataPlane, PlaneRef } from './data_plane.ts';
import { failureAnswer, grpcFailureAnswer } from './failure_answer.ts';
import { type NamedTimeout, settingOf } from './timeout_settings.ts';

/** What is under way in the process, whatever plan it runs on. */
export interface Traffic {
  /** Requests and tunnels whose end is still to come. */
  readonly active: ActiveRequests<RequestContext>;
  tunnels: number;
  /** Requests that have ended since the start, and those of them that failed (`isFailure`). */
  finished: number;
  failed: number;
  /** Answers close their connection from now on. */
  draining: boolean;
  /** The last request or tunnel has ended. */
  onIdle: () => void;
}

/** What all requests share. */
export interface Services {
  readonly planeRef: PlaneRef;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly traffic: Traffic;
  /** Marks this process in `Via`, to recognise a request that comes back. */
  readonly instanceId: string;
  /** Whether a new request may be taken at all. */
  readonly overload: Overload;
  /** What `healthPath` answers. */
  readonly isReady: () => boolean;
}

/** The connection that a request came on, as far as it matters to the request. */
export interface Peer {
  readonly ip: string;
  readonly tlsVersion: string | null;
  readonly localPort: number;
  /** Requests under way on this connection. */
  readonly active: number;
  onRequestEnd(): void;
  onTunnel(): void;
}

/** Whatever works on the request at the moment and must be stopped when the request ends early. */
export interface Work {
  cancel(): void;
  /** The client reads again. */
  onClientDrain(): void;
  /** Of a tunnel: asks the client to close, because the process ends. */
  goAway?(): void;
}

/** A larger head is not kept for a decision record. */
const KEPT_HEAD_CHARACTERS_MAX = 8_192;

export class RequestContext implements RequestRecord, ClientListener, ActiveMember {
  activeIndex = -1;
  readonly services: Services;
  readonly plane: DataPlane;
  readonly bound: BoundListener;
  readonly client: ClientStream;
  readonly peer: Peer;
  head: RequestHead | null = null;
  boundRoute: BoundRoute | null = null;
  boundCluster: BoundCluster | null = null;
  peerTrusted = false;
  /** When a trusted peer gives up, in time of the monotonic clock; null: nobody has said. */
  deadlineMs: number | null = null;
  work: Work | null = null;
  #over = false;
  /** Complete: it is for the client to take it. Given up: what the client has not taken was cut. */
  #answer: 'open' | 'complete' | 'given_up' = 'open';
  /** Of a client that is slow to take it. */
  #pace: ClientPace | null = null;
  /** As they came: a head that was refused has an `Accept` too. */
  readonly #rawHeaders: readonly string[];

  requestId = '';
  traceId: string | null = null;
  trace: TraceContext | null = null;
  /** Of a trace that begins here and is recorded by others. */
  begunTraceparent: string | null = null;
  readonly listener: string;
  clientIp: string;
  readonly peerIp: string;
  readonly method: string;
  host = '';
  readonly path: string;
  readonly protocol: RawRequest['protocol'];
  status = 0;
  reason: FailureKind | null = null;
  timeout: FiredTimeout | null = null;
  retryRefused: string | null = null;
  grpcStatus: number | null = null;
  explainWanted = false;
  limitsAsked: AskedLimit[] | null = null;
  /** The one that it has ended with. */
  failure: Failure | null = null;
  /** Of the backend's answer, as they went out; null: there was none. */
  responseHeaders: readonly string[] | null = null;
  route: string | null = null;
  cluster: string | null = null;
  readonly attempts: AttemptRecord[] = [];
  bytesIn = 0;
  bytesOut = 0;
  readonly startedMs: number;
  queueMs = 0;
  pausedMs = 0;
  endedMs = 0;
  readonly tls: string | null;
  readonly plan: string;

  /** Reads `planeRef.current.plane` once; the request stays on that plan to its end. */
  constructor(services: Services, bound: BoundListener, client: ClientStream, raw: RawRequest, peer: Peer) {
    this.services = services;
    this.plane = services.planeRef.current.plane;
    this.bound = bound;
    this.client = client;
    this.peer = peer;
    this.listener = bound.settings.name;
    this.clientIp = peer.ip;
    this.peerIp = peer.ip;
    this.method = raw.method;
    this.path = raw.target;
    this.#rawHeaders = raw.headers;
    this.protocol = raw.protocol;
    this.startedMs = services.clock.nowMs();
    this.tls = peer.tlsVersion;
    this.plan = this.plane.digest;
    services.traffic.active.add(this);
    client.listen(this);
  }

  get referer(): string | null {
    const referer = findHeader(this.#rawHeaders, 'referer');
    return referer === null ? null : this.services.telemetry.withoutSecrets(referer);
  }
  get userAgent(): string | null {
    return findHeader(this.#rawHeaders, 'user-agent');
  }

  get isOver(): boolean {
    return this.#over;
  }

  timedOut(name: NamedTimeout, ms: number): void {
    const origin = this.plane.origins.get(settingOf(name, this)) ?? 'default';
    this.timeout = { name, ms: Math.round(ms * 100) / 100, origin };
  }

  /** The end of a tunnel through which nothing has passed for this long. */
  tunnelIdle(afterMs: number): void {
    this.timedOut('tunnelIdle', afterMs);
    this.failure ??= { kind: 'tunnel_idle_timeout', afterMs };
    this.reason ??= 'tunnel_idle_timeout';
  }

  /** Answers with a failure; after the first byte of an answer it can only cut the stream. The first cause stays. */
  fail(failure: Failure): void {
    if (this.#over) return;
    this.reason ??= failure.kind;
    this.failure ??= failure;
    this.stopWork();
    if (this.client.headSent) {
      this.#giveUpClient();
      return;
    }
    if (this.requestId === '') this.requestId = this.services.random.requestId();
    const accept = this.head === null ? findHeader(this.#rawHeaders, 'accept') : this.head.accept;
    const isGrpc = this.#isGrpc;
    if (isGrpc) this.grpcStatus = GRPC_STATUS[failure.kind];
    const answer = isGrpc
      ? grpcFailureAnswer(failure, this.requestId)
      : failureAnswer(failure, this.requestId, accept);
    // What follows on a connection after a malformed or unfinished request cannot be trusted to be a request.
    if (FAILURE_RULES[failure.kind].blame === 'client' && !this.client.bodyReceived)
      this.client.distrustConnection();
    if (failure.kind === 'bad_request') this.client.distrustConnection();
    this.answer(answer.status, answer.headers, answer.body);
  }

  /** A whole answer made here. */
  answer(status: number, headers: readonly string[], body: string): void {
    this.status = status;
    this.bytesOut = this.method === 'HEAD' ? 0 : Buffer.byteLength(body);
    if (this.services.traffic.draining) this.client.closeAfterAnswer();
    const asked = this.explainWanted ? [EXPLAIN_FIELD, this.requestId] : [];
    try {
      this.client.answer(status, [...headers, ...asked], body);
    } catch (error) {
      // Timers and pools call this too: nothing above them would catch it.
      this.services.telemetry.emit({
        kind: 'defect',
        requestId: this.requestId,
        detail: describeDefect(error),
      });
      this.#giveUpClient();
      return;
    }
    this.answered();
  }

  /** Everything was handed to the client's side. */
  answered(): void {
    this.#answer = 'complete';
  }

  #giveUpClient(): void {
    this.client.abort();
    this.#answer = 'given_up';
  }

  /** Asked once a second (`untaken_answers.ts`). */
  checkTaken(nowMs: number): void {
    if (this.#over || this.#answer === 'open') return;
    if (this.#answer === 'given_up') {
      this.client.destroy(); // and is still here
      return;
    }
    const limitMs = (this.boundRoute ?? this.bound.settings).limits.bodyIdleMs;
    this.#pace ??= new ClientPace(this.client, this.peer, nowMs);
    if (limitMs === null || !this.#pace.hasStopped(nowMs, limitMs)) return;
    if (this.reason === null) this.timedOut('bodyIdle', limitMs);
    this.reason ??= 'client_timeout';
    this.failure ??= { kind: 'client_timeout', timer: 'bodyIdle', afterMs: limitMs };
    this.#giveUpClient();
  }

  /** Over HTTP/2 only, as gRPC is; `application/grpc-web` is another protocol, whose clients know HTTP's status. */
  get #isGrpc(): boolean {
    if (this.protocol !== 'HTTP/2.0') return false;
    const type = findHeader(this.#rawHeaders, 'content-type');
    return type !== null && /^application\/grpc(?:[+; ]|$)/i.test(type);
  }

  /** How a gRPC call went: in its trailers, or with the head where nothing else came (Trailers-Only). */
  noteGrpcStatus(trailers: readonly string[] | null): void {
    if (!this.#isGrpc) return;
    const said = findHeader(trailers ?? this.responseHeaders ?? [], 'grpc-status');
    if (said !== null && /^\d{1,3}$/.test(said)) this.grpcStatus = Number(said);
  }

  /** An event stream ends when its reader leaves (HTML Living Standard section 9.2): that is no failure of anybody. */
  get #isEndless(): boolean {
    const type = this.responseHeaders === null ? null : findHeader(this.responseHeaders, 'content-type');
    return this.status === 200 && type?.toLowerCase().startsWith('text/event-stream') === true;
  }

  /** A defect of ours costs one request, never the process. */
  failInternally(error: unknown): void {
    const detail = describeDefect(error);
    this.services.telemetry.emit({ kind: 'defect', requestId: this.requestId, detail });
    this.fail({ kind: 'internal', detail: 'unexpected error' });
  }

  decisionFacts(): DecisionFacts {
    const isSmall = this.head !== null && sizeOf(this.head) <= KEPT_HEAD_CHARACTERS_MAX;
    return {
      peerTrusted: this.peerTrusted,
      policy: this.boundCluster?.policy ?? null,
      rateLimits: this.limitsAsked ?? [],
      head: isSmall ? this.head : null,
    };
  }

  stopWork(): void {
    const work = this.work;
    this.work = null;
    work?.cancel();
  }

  onClientDrain(): void {
    this.work?.onClientDrain();
  }

  onClientClose(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    if (!complete && this.reason === null && !this.#isEndless) this.reason = 'client_gone';
    if (this.reason === 'client_gone') this.status = FAILURE_RULES.client_gone.status;
    this.stopWork();
    const { clock, telemetry, traffic } = this.services;
    this.endedMs = clock.nowMs();
    traffic.finished++;
    if (isFailure(this.status, this.reason)) traffic.failed++;
    telemetry.requestFinished(
      this,
      this.boundRoute?.handles ?? this.bound.handles,
      this.boundCluster?.handles ?? null,
      this,
    );
    this.peer.onRequestEnd();
    traffic.active.remove(this);
    if (traffic.active.size === 0) traffic.onIdle();
  }
}

function sizeOf({ target, headers }: RequestHead): number {
  return headers.reduce((sum, text) => sum + text.length, target.length);
}
