/**
 * The client's side of one request: the only place that answers it, and that says with which status and why.
 *
 *   open ─┬─ respond, end, or fail without a head ──> complete ──┬── onClientClose, at any time ──> over
 *         └─ cut, or fail behind a head ────────────> cut <──────┘   (a complete response that is not taken is cut)
 *
 * Whoever answers, the end is told exactly once: when the client's side of the exchange is over (`onClientClose`). It makes
 * the record of the request from what the context, the backends' side and this side know.
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
import { failureAnswer, grpcFailureAnswer } from './failure_answer.ts';
import type { OpenRequest, Peer, RequestContext } from './request.ts';
import { type PacedRequest, RequestPace } from './request_pace.ts';
import { FinishedRequest, NOTHING_UPSTREAM, type UpstreamFacts } from './request_record.ts';

/** Whatever works on the request at the moment and must be stopped when the request ends early. */
export interface Work {
  cancel(): void;
  /** The client reads again. */
  onClientDrain(): void;
  /** The client is to send more of its body, and nobody else holds that up. */
  readonly waitsForBody: boolean;
  /** In memory, beside what the client's side has. */
  readonly heldBytes: number;
  /** Of a tunnel: asks the client to close, because the process ends. */
  goAway?(): void;
}

/** Complete: it is for the client to take it. Cut: what the client has not taken was thrown away. Over: the client's side has ended. */
type Stage = 'open' | 'complete' | 'cut' | 'over';

export class Responder implements OpenRequest, ClientStreamObserver, Holder {
  activeIndex = -1;
  heldBytes = 0;
  readonly #context: RequestContext;
  readonly #client: ClientStream;
  #stage: Stage = 'open';
  #work: Work | null = null;
  #upstream: UpstreamFacts = NOTHING_UPSTREAM;
  /** Of a client that is slow to take a complete response. */
  #reader: SlowReader | null = null;
  #pace: RequestPace | null = null;
  #status = 0;
  #reason: FailureKind | null = null;
  /** The one that it has ended with; null also where the client has just left. */
  #failure: Failure | null = null;
  /** The one that has made it fail. */
  #timeout: FiredTimeout | null = null;
  #grpcStatus: number | null = null;
  /** Of the backend's response, as they went out; null: there was none. */
  #headers: readonly string[] | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(context: RequestContext, client: ClientStream) {
    this.#context = context;
    this.#client = client;
    context.services.traffic.active.add(this);
    client.listen(this);
  }

  get peer(): Peer {
    return this.#context.peer;
  }
  get isOver(): boolean {
    return this.#stage === 'over';
  }
  get status(): number {
    return this.#status;
  }
  /** Why it failed, so far. */
  get reason(): FailureKind | null {
    return this.#reason;
  }
  /** A failure can only cut the stream from here on. */
  get headSent(): boolean {
    return this.#client.headSent;
  }
  /** Of the request, paused until somebody reads it. */
  get body(): Readable {
    return this.#client.body;
  }
  get bodyReceived(): boolean {
    return this.#client.bodyReceived;
  }
  /** Written here and not yet taken by the system. */
  get unsentBytes(): number {
    return this.#client.unsentBytes;
  }

  #become(stage: Stage): void {
    if (this.#stage !== 'over') this.#stage = stage;
  }

  // ---- who works on it

  /** Its facts are read when the request is over. */
  forwardedBy(forwarding: Work & UpstreamFacts): void {
    this.#work = forwarding;
    this.#upstream = forwarding;
  }

  #stopWork(): void {
    const work = this.#work;
    this.#work = null;
    work?.cancel();
  }

  /** The process ends. */
  goAway(): void {
    this.#work?.goAway?.();
  }

  onClientDrain(): void {
    this.#work?.onClientDrain();
  }

  /** Of the body of the request, so far. */
  noteBytesIn(bytes: number): void {
    this.peer.noteBodyBytes(bytes - this.#bytesIn);
    this.#bytesIn = bytes;
    this.#refuseCrumbs();
  }

  /** A body in pieces of a byte or so, which cost far more than they are. */
  #refuseCrumbs(): void {
    const { bound, services } = this.#context;
    if (this.#stage !== 'open' || this.#client.bodyReceived) return;
    if (!this.peer.isWasteful(this.#client.unreadBytes, services.clock.nowMs())) return;
    services.telemetry.connectionCut(bound.settings.name, 'flood');
    this.fail({ kind: 'bad_request', detail: 'The body comes in too many small pieces.' });
    this.peer.destroy(); // not even read to its end: what is read costs
  }

  // ---- a response made here

  respond(status: number, headers: readonly string[], body: string): void {
    const { requestId, explainWanted, raw, services } = this.#context;
    this.#status = status;
    this.#bytesOut = raw.method === 'HEAD' ? 0 : Buffer.byteLength(body);
    if (services.traffic.draining) this.#client.closeAfterAnswer();
    const asked = explainWanted ? [EXPLAIN_FIELD, requestId] : [];
    try {
      this.#client.answer(status, [...headers, ...asked], body);
    } catch (error) {
      // Timers and pools call this too: nothing above them would catch it.
      this.#emitDefect(error);
      this.#abort();
      return;
    }
    this.#become('complete');
  }

  // ---- a backend's response, piece by piece

  /** An interim response. */
  inform(status: number, headers: readonly string[]): void {
    this.#client.writeInformation(status, headers);
  }

  /** `fields` are filtered already, and belong to the responder from here on. */
  sendHead(status: number, statusText: string, fields: string[], endOfStream: boolean): void {
    const { requestId, explainWanted, services } = this.#context;
    this.#status = status;
    if (services.traffic.draining) this.#client.closeAfterAnswer();
    if (explainWanted) fields.push(EXPLAIN_FIELD, requestId);
    this.#headers = fields;
    this.#client.writeHead(status, statusText, fields, endOfStream);
  }

  /** False: wait for `onClientDrain`. */
  write(chunk: Buffer): boolean {
    this.#bytesOut += chunk.length;
    return this.#client.write(chunk);
  }

  /** Whether the client reads, from now on. */
  watchReader(): SlowReader {
    return new SlowReader(this.#client, this.peer, this.#context.services.clock.nowMs());
  }

  end(trailers: readonly string[] | null): void {
    this.#work = null;
    if (this.#isGrpc) this.#noteGrpcStatus(trailers ?? this.#headers ?? []);
    this.#client.end(trailers === null ? null : filterTrailers(trailers));
    this.#become('complete');
  }

  // ---- a tunnel

  /** The bare connection; the response to the handshake is for whoever takes it. */
  switchProtocols(): Duplex {
    const socket = this.#client.takeSocket();
    this.#status = 101;
    this.peer.onTunnel();
    return socket;
  }

  /** It takes the place of the forwarding that has led to it. */
  tunnelledBy(tunnel: Work): void {
    this.#work = tunnel;
  }

  /** `idleMs`: nothing has passed through it for this long; null: it has ended in another way. */
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

  /** Answers with a failure; where a head is out already it cuts. The first cause stays, and the timeout that was it. */
  fail(failure: Failure, timeout: FiredTimeout | null = null): void {
    if (this.isOver) return;
    if (this.#client.headSent) {
      this.cut(failure, timeout);
      return;
    }
    this.#blame(failure, timeout);
    this.#stopWork();
    if (!this.isOver) this.#respondFailure(failure); // a tunnel is over when it is stopped
  }

  /** Breaks the response off, so that the client cannot take what it has for a whole one. */
  cut(failure: Failure, timeout: FiredTimeout | null): void {
    this.#blame(failure, timeout);
    this.#stopWork();
    this.#abort();
  }

  /** A defect of ours costs one request, never the process. */
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
    const isGrpc = this.#isGrpc;
    if (isGrpc) this.#grpcStatus = GRPC_STATUS[failure.kind];
    const { status, headers, body } = isGrpc
      ? grpcFailureAnswer(failure, requestId)
      : failureAnswer(failure, requestId, accept);
    // What follows on a connection after a malformed or unfinished request cannot be trusted to be a request.
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

  /** This is the last response on its connection. */
  closeAfterResponse(): void {
    this.#client.closeAfterAnswer();
  }

  // ---- what a client may cost

  /** Asked once a second (`slow_clients.ts`). */
  lookAtClient(nowMs: number): void {
    this.noteHeld();
    this.#refuseCrumbs();
    if (this.#stage === 'cut') this.#client.destroy(); // and is still here
    if (this.#status === 101 || (this.#stage !== 'open' && this.#stage !== 'complete')) return;
    const context = this.#context;
    const { limits } = context.route ?? context.bound.settings;
    if (this.#stage === 'complete') this.#reader ??= new SlowReader(this.#client, this.peer, nowMs);
    const { bodyIdleMs } = limits;
    const hasStopped = bodyIdleMs !== null && this.#reader?.hasStopped(nowMs, bodyIdleMs) === true;
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

  /** Tells the account of the process what this request has in memory. May end this very request. */
  noteHeld(): void {
    this.#context.services.traffic.buffers.hold(this, this.isOver ? 0 : this.#countHeld());
  }

  #countHeld(): number {
    const { heldBytes, unreadBytes } = this.#client;
    return heldBytes + this.peer.crumbCost(unreadBytes) + (this.#work?.heldBytes ?? 0);
  }

  /** The process holds too much, and this request has held its part for longest. */
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
    this.#tellEnd();
  }

  #tellEnd(): void {
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

  /** An event stream ends when its reader leaves (HTML Living Standard section 9.2): that is no failure of anybody. */
  get #isEndless(): boolean {
    const type = this.#headers === null ? null : findHeader(this.#headers, 'content-type');
    return this.#status === 200 && type?.toLowerCase().startsWith('text/event-stream') === true;
  }

  /** Its messages come when there is something to say. A client cannot choose this: the cluster has to be one for gRPC. */
  get #isGrpcStream(): boolean {
    return this.#isGrpc && this.#context.cluster?.protocol !== 'http1';
  }

  /** Over HTTP/2 only, as gRPC is; `application/grpc-web` is another protocol, whose clients know HTTP's status. */
  get #isGrpc(): boolean {
    const { protocol, headers } = this.#context.raw;
    if (protocol !== 'HTTP/2.0') return false;
    const type = findHeader(headers, 'content-type');
    return type !== null && /^application\/grpc(?:[+; ]|$)/i.test(type);
  }

  /** How a gRPC call went: in its trailers, or with the head where nothing else came (Trailers-Only). */
  #noteGrpcStatus(fields: readonly string[]): void {
    const said = findHeader(fields, 'grpc-status');
    if (said !== null && /^\d{1,3}$/.test(said)) this.#grpcStatus = Number(said);
  }
}
