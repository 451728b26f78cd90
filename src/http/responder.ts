/**
 * The client's side of one request: the only place that responds to the client and that decides status and reason.
 *
 *   open ─┬─ respond, end, or fail before the head ──> complete ──┬── onClientClose, at any time ──> over
 *         └─ cut, or fail after the head ────────────> cut <──────┘   (a complete response that is not taken is cut)
 *
 * The end is recorded exactly once, when the client's side of the exchange is over (`onClientClose`). It builds the record
 * of the request from the context, the attempt loop and the facts kept here.
 */
import type { Duplex, Readable } from 'node:stream';
import type { FiredTimeout } from '../observability/events.ts';
import type { Holder } from '../resilience/buffer_account.ts';
import { describeDefect } from '../resilience/defect.ts';
import {
  FAILURE_RULES,
  type Failure,
  type FailureKind,
  GRPC_STATUS,
  isFailure,
} from '../resilience/failure.ts';
import { EXPLAIN_FIELD, filterTrailers, findHeader } from '../security/headers.ts';
import { SlowReader } from './client/slow_reader.ts';
import type { ClientStream, ClientStreamObserver } from './client/stream.ts';
import { failureResponse, grpcFailureResponse } from './failure_response.ts';
import { grpcStatusOf, isGrpcCall } from './grpc.ts';
import type { OpenRequest, Peer, RequestContext } from './request.ts';
import { type PacedRequest, RequestPace } from './request_pace.ts';
import { FinishedRequest, NOTHING_UPSTREAM, type UpstreamFacts } from './request_record.ts';

/** What works on the request at the moment, and must be stopped when the request ends early. */
export interface Work {
  cancel(): void;
  /** The client reads again after it was too slow. */
  onClientDrain(): void;
  /** The client has more of its body to send, and nobody else holds that up. */
  readonly waitsForBody: boolean;
  /** Bytes in memory, except those of the client's side. */
  readonly heldBytes: number;
  /** Asks the client of a tunnel to close, because the process ends. */
  goAway?(): void;
}

/**
 * `complete`: the client has to read it. `cut`: what the client has not read was discarded. `over`: the client's side
 * has ended.
 */
type Stage = 'open' | 'complete' | 'cut' | 'over';

export class Responder implements OpenRequest, ClientStreamObserver, Holder {
  activeIndex = -1;
  heldBytes = 0;
  readonly #context: RequestContext;
  readonly #client: ClientStream;
  #stage: Stage = 'open';
  #work: Work | null = null;
  #upstream: UpstreamFacts = NOTHING_UPSTREAM;
  /** Watches a client that is slow to read a complete response. */
  #slowReader: SlowReader | null = null;
  #pace: RequestPace | null = null;
  #status = 0;
  #reason: FailureKind | null = null;
  /** The failure that ended the request; null also if the client has just left. */
  #failure: Failure | null = null;
  /** The timeout that caused the failure. */
  #timeout: FiredTimeout | null = null;
  #grpcStatus: number | null = null;
  /** Fields of the backend's response, as sent to the client; null: there was none. */
  #headers: readonly string[] | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(context: RequestContext, client: ClientStream) {
    this.#context = context;
    this.#client = client;
    context.services.traffic.active.add(this);
    client.observe(this);
  }

  get peer(): Peer {
    return this.#context.peer;
  }
  get route(): string | null {
    return this.#context.route?.settings.name ?? null;
  }
  get isOver(): boolean {
    return this.#stage === 'over';
  }
  get status(): number {
    return this.#status;
  }
  /** Reason of the first failure, if any so far. */
  get reason(): FailureKind | null {
    return this.#reason;
  }
  /** From here on a failure can only cut the stream. */
  get headSent(): boolean {
    return this.#client.headSent;
  }
  /** Body of the request, paused until it is read. */
  get body(): Readable {
    return this.#client.body;
  }
  get bodyReceived(): boolean {
    return this.#client.bodyReceived;
  }
  /** Later requests on the same connection get no response. */
  get isLast(): boolean {
    return this.#client.isLast;
  }
  /** Bytes written that the operating system has not taken yet. */
  get unsentBytes(): number {
    return this.#client.unsentBytes;
  }

  #become(stage: Stage): void {
    if (this.#stage !== 'over') this.#stage = stage;
  }

  // ---- who works on it

  /** `forwarding` also provides the upstream facts for the record of the request. */
  forwardedBy(forwarding: Work & UpstreamFacts): void {
    this.#work = forwarding;
    this.#upstream = forwarding;
  }

  #stopWork(): void {
    const work = this.#work;
    this.#work = null;
    work?.cancel();
  }

  /** The process ends: asks a tunnel to close. */
  goAway(): void {
    this.#work?.goAway?.();
  }

  onClientDrain(): void {
    this.#work?.onClientDrain();
  }

  /** Bytes of the request body so far. */
  noteBytesIn(bytes: number): void {
    this.peer.noteBodyBytes(bytes - this.#bytesIn);
    this.#bytesIn = bytes;
    this.#refuseCrumbs();
  }

  /** Refuses a body that comes in pieces of a byte or so, because each piece costs far more than its bytes. */
  #refuseCrumbs(): void {
    const { bound, services } = this.#context;
    if (this.#stage !== 'open' || this.#client.bodyReceived) return;
    if (!this.peer.isWasteful(this.#client.unreadBytes, services.clock.nowMs())) return;
    services.telemetry.connectionCut(bound.settings.name, 'flood');
    this.peer.noteCut();
    this.fail({ kind: 'bad_request', detail: 'The body comes in too many small pieces.' });
    this.peer.destroy(); // the rest is not read, because reading is what costs
  }

  // ---- a response made here

  respond(status: number, headers: readonly string[], body: string): void {
    const { requestId, explainWanted, rateLimitFields, raw, services } = this.#context;
    this.#status = status;
    this.#bytesOut = raw.method === 'HEAD' ? 0 : Buffer.byteLength(body);
    if (services.traffic.draining) this.#client.closeAfterResponse();
    const asked = explainWanted ? [EXPLAIN_FIELD, requestId] : [];
    try {
      this.#client.respond(status, [...headers, ...(rateLimitFields ?? []), ...asked], body);
    } catch (error) {
      // Timers and pools call this too, and nothing above them would catch the error.
      this.#emitDefect(error);
      this.#abort();
      return;
    }
    this.#become('complete');
  }

  // ---- a backend's response, piece by piece

  /** Sends an interim response (RFC 9110 section 15.2). */
  inform(status: number, headers: readonly string[]): void {
    this.#client.writeInformation(status, headers);
  }

  /** `fields` are already filtered, and belong to the responder from here on. */
  sendHead(status: number, statusText: string, fields: string[], endOfStream: boolean): void {
    const { requestId, explainWanted, rateLimitFields, services } = this.#context;
    this.#status = status;
    if (services.traffic.draining) this.#client.closeAfterResponse();
    if (rateLimitFields !== null) fields.push(...rateLimitFields);
    if (explainWanted) fields.push(EXPLAIN_FIELD, requestId);
    this.#headers = fields;
    this.#client.writeHead(status, statusText, fields, endOfStream);
  }

  /** Returns false if the caller must wait for `onClientDrain`. */
  write(chunk: Buffer): boolean {
    this.#bytesOut += chunk.length;
    return this.#client.write(chunk);
  }

  /** Starts to watch whether the client reads. */
  watchReader(): SlowReader {
    return new SlowReader(this.#client, this.peer, this.#context.services.clock.nowMs());
  }

  end(trailers: readonly string[] | null): void {
    this.#work = null;
    if (isGrpcCall(this.#context.raw)) this.#grpcStatus = grpcStatusOf(trailers ?? this.#headers ?? []);
    this.#client.end(trailers === null ? null : filterTrailers(trailers));
    this.#become('complete');
  }

  // ---- a tunnel

  /** Hands over the bare connection; the caller writes the response to the handshake. */
  switchProtocols(): Duplex {
    const socket = this.#client.takeSocket();
    this.#status = 101;
    this.peer.onTunnel();
    return socket;
  }

  /** The request waits for its admission before it is forwarded. */
  heldBy(admission: Work): void {
    this.#work = admission;
  }

  /** The tunnel replaces the forwarding that led to it. */
  tunnelledBy(tunnel: Work): void {
    this.#work = tunnel;
  }

  /** `idleMs`: the idle timeout that ended the tunnel; null if it ended in another way. */
  onTunnelEnd(bytesIn: number, bytesOut: number, idleMs: number | null): void {
    if (idleMs !== null)
      this.#blame(
        { kind: 'tunnel_idle_timeout', afterMs: idleMs },
        this.#context.firedTimeout('tunnelIdle', idleMs),
      );
    this.#bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.#work = null;
  }

  // ---- failures

  /**
   * Responds with a failure. Cuts the response if its head was sent, or if the client cannot receive one any more. Only the
   * first failure and its timeout are recorded.
   */
  fail(failure: Failure, timeout: FiredTimeout | null = null): void {
    if (this.isOver) return;
    if (this.#client.headSent || failure.kind === 'client_gone') {
      this.cut(failure, timeout);
      return;
    }
    this.#blame(failure, timeout);
    this.#stopWork();
    if (!this.isOver) this.#respondFailure(failure); // stopping a tunnel ends the request
  }

  /** Breaks off the response, so that the client cannot take a part of it for the whole. */
  cut(failure: Failure, timeout: FiredTimeout | null): void {
    this.#blame(failure, timeout);
    this.#stopWork();
    this.#abort();
  }

  /** An internal error costs one request, never the process. */
  failInternally(error: unknown): void {
    this.#emitDefect(error);
    this.fail({ kind: 'internal', detail: 'unexpected error' });
  }

  #blame(failure: Failure, timeout: FiredTimeout | null): void {
    if (this.#reason !== null) return;
    this.#reason = failure.kind;
    this.#failure = failure;
    this.#timeout = timeout;
  }

  #respondFailure(failure: Failure): void {
    const { requestId, head, raw } = this.#context;
    const accept = head === null ? findHeader(raw.headers, 'accept') : head.accept;
    const isGrpc = isGrpcCall(raw);
    if (isGrpc) this.#grpcStatus = GRPC_STATUS[failure.kind];
    const { status, headers, body } = isGrpc
      ? grpcFailureResponse(failure, requestId)
      : failureResponse(failure, requestId, accept);
    // After a malformed or unfinished request, the next bytes on the connection cannot be trusted to begin a request.
    if (FAILURE_RULES[failure.kind].blame === 'client' && !this.#client.bodyReceived)
      this.#client.distrustConnection();
    if (failure.kind === 'bad_request') this.#client.distrustConnection();
    this.respond(status, headers, body);
  }

  #emitDefect(error: unknown): void {
    const { requestId, services } = this.#context;
    services.telemetry.emit({ kind: 'defect', requestId, detail: describeDefect(error) });
  }

  #abort(): void {
    this.#client.abort();
    this.#become('cut');
  }

  // ---- the end

  /** Makes this the last response on its connection. */
  closeAfterResponse(): void {
    this.#client.closeAfterResponse();
  }

  // ---- what a client may cost

  /** Called once a second (`slow_clients.ts`). */
  checkClient(nowMs: number): void {
    this.noteHeld();
    this.#refuseCrumbs();
    if (this.#stage === 'cut') this.#client.destroy(); // it was cut a second ago and is still open
    if (this.#status === 101 || (this.#stage !== 'open' && this.#stage !== 'complete')) return;
    const context = this.#context;
    const { limits } = context.route ?? context.bound.settings;
    if (this.#stage === 'complete') this.#slowReader ??= new SlowReader(this.#client, this.peer, nowMs);
    const { bodyIdleMs } = limits;
    const hasStopped = bodyIdleMs !== null && this.#slowReader?.hasStopped(nowMs, bodyIdleMs) === true;
    this.#pace ??= new RequestPace();
    const timer = hasStopped ? 'bodyIdle' : this.#pace.look(this.#paced(), limits, nowMs);
    if (timer === null) return;
    const afterMs = timer === 'bodyIdle' && bodyIdleMs !== null ? bodyIdleMs : limits.rateGraceMs;
    const failure: Failure = { kind: 'client_timeout', timer, afterMs };
    const timeout = context.firedTimeout(timer, afterMs);
    if (this.#stage === 'complete') this.cut(failure, timeout);
    else this.fail(failure, timeout);
  }

  #paced(): PacedRequest {
    const { unsentBytes, isQueued } = this.#client;
    return {
      waitsForBody: this.#stage === 'open' && this.#work?.waitsForBody === true && !this.#isGrpcStream,
      bytesIn: this.#bytesIn,
      takenBytes: this.#bytesOut - unsentBytes,
      waitsForReader: unsentBytes > 0 && !isQueued,
      connectionTakenBytes: this.peer.takenBytes,
    };
  }

  /** Reports to the buffer account what this request has in memory. That may end this very request. */
  noteHeld(): void {
    this.#context.services.traffic.buffers.hold(this, this.isOver ? 0 : this.#countHeld());
  }

  #countHeld(): number {
    const { heldBytes, unreadBytes } = this.#client;
    return heldBytes + this.peer.crumbCost(unreadBytes) + (this.#work?.heldBytes ?? 0);
  }

  /** Ends the request: the process holds too many bytes, and this request has held some for longest. */
  giveUp(): void {
    this.#context.services.telemetry.shed('buffered_bytes');
    const failure: Failure = { kind: 'overloaded', signal: 'buffered_bytes' };
    if (this.#stage === 'open') this.fail(failure);
    else this.cut(failure, null);
    this.#client.destroy();
  }

  onClientClose(complete: boolean): void {
    if (this.isOver) return;
    this.#become('over');
    if (!complete && this.#reason === null && !this.#isEndless) this.#reason = 'client_gone';
    if (this.#reason === 'client_gone') this.#status = FAILURE_RULES.client_gone.status;
    this.#stopWork();
    this.#recordEnd();
  }

  #recordEnd(): void {
    const context = this.#context;
    const { clock, telemetry, traffic } = context.services;
    const client = {
      status: this.#status,
      reason: this.#reason,
      failure: this.#failure,
      timeout: this.#timeout,
      grpcStatus: this.#grpcStatus,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
    };
    traffic.finished++;
    if (isFailure(client.status, client.reason)) traffic.failed++;
    telemetry.requestFinished(
      new FinishedRequest(context, client, this.#upstream, clock.nowMs()),
      (context.route ?? context.bound).handles,
      context.cluster?.handles ?? null,
      context,
    );
    context.peer.onRequestEnd();
    traffic.buffers.hold(this, 0);
    if (context.tunnelKey !== null) traffic.tunnelsPerClient.giveBack(context.tunnelKey);
    traffic.active.remove(this);
    if (traffic.active.size === 0) traffic.onIdle();
  }

  /** An event stream ends when its reader leaves (HTML Living Standard section 9.2); that is not a failure. */
  get #isEndless(): boolean {
    const type = this.#headers === null ? null : findHeader(this.#headers, 'content-type');
    return this.#status === 200 && type?.toLowerCase().startsWith('text/event-stream') === true;
  }

  /**
   * The messages of a gRPC call come when there is something to say. A client cannot claim this for itself, because the
   * cluster must be one for gRPC.
   */
  get #isGrpcStream(): boolean {
    return isGrpcCall(this.#context.raw) && this.#context.cluster?.protocol !== 'http1';
  }
}
