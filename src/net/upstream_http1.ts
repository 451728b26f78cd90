/**
 * HTTP/1.1 connections to one endpoint, on undici.
 *
 * Each slot holds one undici `Client`, which holds at most one socket: so the number of sockets is bounded by the
 * number of slots, nothing ever queues inside undici, and it is known which socket serves which request. Free
 * slots are kept as a stack: the most recently used socket is the least likely to be closed by the backend.
 *
 * What to know of undici 8 before changing this:
 * - `controller.rawHeaders` holds the fields as they came; the object beside it is not for us.
 * - `onRequestStart` comes when the socket is ready and nothing is written yet. Undici validates an idle socket first
 *   and opens a new one by itself if it was closed: only here is it known whether the socket is a reused one.
 *   An exception thrown here cancels the request and leaves the socket alone.
 * - `reset: false` keeps the connection after HEAD. `servername` must stay the same: a change closes the connection.
 * - A body stream is destroyed on any error and when the answer comes before its end.
 */
import type { Socket } from 'node:net';
import { Client, type Dispatcher, errors } from 'undici';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import { type ConnectTarget, connect } from './connect.ts';
import { sendOnSocket } from './dedicated.ts';
import type {
  SocketCallback,
  Upstream,
  UpstreamCounts,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamSettings,
  UpstreamSlot,
} from './upstream.ts';

/** A backend that says `Keep-Alive: timeout=5` is asked no more after 4 s: the request needs time to get there. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
const ANSWER_HEAD_BYTES_MAX = 64 * 1024;
/** A backend that does not close its side in this time loses the connection. */
const CLOSE_MS_MAX = 1_000;
/** Spread of maxAge, so that connections opened together do not end together. */
const AGE_JITTER = 0.1;

export class Http1Upstream implements Upstream {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #free: Http1Slot[] = [];
  readonly #slots = new Set<Http1Slot>();
  readonly #roomListeners = new Set<() => void>();
  #inUse = 0;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  get counts(): UpstreamCounts {
    let open = 0;
    for (const slot of this.#slots) if (slot.isOpen) open++;
    return { open, inUse: this.#inUse };
  }

  get hasRoom(): boolean {
    return this.#free.length > 0 || this.#slots.size < this.#settings.connectionsMax;
  }

  take(): UpstreamSlot | null {
    let slot = this.#free.pop();
    if (slot === undefined) {
      if (this.#slots.size >= this.#settings.connectionsMax) return null;
      slot = new Http1Slot(this.#settings, this.#clock, this.#random);
      this.#slots.add(slot);
    }
    this.#inUse++;
    return slot;
  }

  release(slot: UpstreamSlot): void {
    const released = slot as Http1Slot;
    this.#inUse--;
    released.endUse();
    if (this.#retired) this.#drop(released);
    else if (!released.isSpent) this.#free.push(released);
    else released.closeThen(() => this.#comeBack(released)); // two connections for a moment would be one too many
  }

  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  #comeBack(slot: Http1Slot): void {
    if (this.#retired) {
      this.#drop(slot);
      return;
    }
    this.#free.push(slot);
    for (const listener of this.#roomListeners) listener();
  }

  retire(): void {
    this.#retired = true;
    for (const slot of this.#free.splice(0)) this.#drop(slot);
  }

  destroy(): void {
    this.#retired = true;
    this.#free.length = 0;
    for (const slot of this.#slots) this.#drop(slot);
  }

  #drop(slot: Http1Slot): void {
    this.#slots.delete(slot);
    slot.destroy();
  }
}

class Http1Slot implements UpstreamSlot {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #target: ConnectTarget;
  readonly #ageMsMax: number;
  #socket: Socket | null = null;
  #bornMs = 0;
  #connectStartedMs = 0;
  #requests = 0;
  #connectFailure: Failure | null = null;
  #cancelConnect: (() => void) | null = null;
  /** A connection outside undici: a WebSocket, or a request that undici cannot send. */
  #dedicated: Socket | null = null;
  #exchange: Exchange | null = null;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#target = {
      address: settings.address,
      tls: settings.tls,
      protocols: ['http/1.1'],
      connectMs: settings.connectMs,
    };
    this.#ageMsMax =
      (settings.ageMsMax ?? Number.POSITIVE_INFINITY) * (1 + AGE_JITTER * (2 * random.unit() - 1));
    this.#client = new Client(settings.tls === null ? 'http://backend' : 'https://backend', {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0, // the timeouts of a request are ours: resilience/timeouts.ts
      bodyTimeout: 0,
      keepAliveTimeout: settings.idleMs,
      keepAliveMaxTimeout: settings.idleMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      maxHeaderSize: ANSWER_HEAD_BYTES_MAX,
      connect: (_options, callback) =>
        this.#connect(callback as (error: Error | null, socket: Socket | null) => void),
    });
    this.#client.on('disconnect', () => {
      this.#socket = null;
    });
  }

  get isOpen(): boolean {
    return this.#socket !== null || this.#cancelConnect !== null || this.#dedicated !== null;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (request.target === '*') {
      this.openSocket((failure, socket) => {
        if (failure !== null || socket === null)
          handler.onError(failure ?? { kind: 'connect_refused', code: 'CLOSED' });
        else sendOnSocket(socket, request, handler);
      });
      return;
    }
    this.#connectFailure = null;
    this.#connectStartedMs = 0;
    const exchange = new Exchange(this, handler);
    this.#exchange = exchange;
    this.#client.dispatch(
      {
        path: request.target,
        method: request.method as Dispatcher.HttpMethod,
        headers: ['host', request.authority, ...request.headers],
        body: request.body,
        reset: false,
        blocking: false,
        idempotent: true,
        servername: 'backend',
      } as Dispatcher.DispatchOptions,
      exchange,
    );
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    this.#exchange?.cancel();
    this.#cancelConnect?.();
    this.#dedicated?.destroy();
  }

  openSocket(callback: SocketCallback): void {
    this.#socket?.destroy(); // the slot is worth one connection, not two
    const giveUp = connect(this.#target, this.#clock, (failure, socket) => {
      this.#cancelConnect = null;
      this.#dedicated = socket;
      socket?.once('close', () => {
        if (this.#dedicated === socket) this.#dedicated = null;
      });
      callback(failure, socket);
    });
    this.#cancelConnect = () => {
      this.#cancelConnect = null;
      giveUp();
    };
  }

  endUse(): void {
    this.#exchange = null;
    this.#dedicated?.destroy();
  }

  /** The connection has served its time, by requests or by age. */
  get isSpent(): boolean {
    if (this.#socket === null || this.#socket.destroyed) return false;
    const { requestsMax } = this.#settings;
    return (
      (requestsMax !== null && this.#requests >= requestsMax) ||
      this.#clock.nowMs() - this.#bornMs >= this.#ageMsMax
    );
  }

  /** Closes the connection in good order; `callback` comes when the backend has closed it too, or is too slow to. */
  closeThen(callback: () => void): void {
    const socket = this.#socket;
    if (socket === null) {
      callback();
      return;
    }
    const timer = this.#clock.setTimer(destroy, CLOSE_MS_MAX, socket);
    socket.once('close', () => {
      this.#clock.cancelTimer(timer);
      callback();
    });
    socket.end();
  }

  destroy(): void {
    this.#cancelConnect?.();
    this.#dedicated?.destroy();
    this.#client.destroy(() => {});
  }

  /** Undici asks for a socket. */
  #connect(callback: (error: Error | null, socket: Socket | null) => void): void {
    this.#connectStartedMs = this.#clock.nowMs();
    const giveUp = connect(this.#target, this.#clock, (failure, socket) => {
      this.#cancelConnect = null;
      this.#socket = socket;
      this.#bornMs = this.#clock.nowMs();
      this.#requests = 0;
      if (failure === null) {
        callback(null, socket);
        return;
      }
      this.#connectFailure = failure;
      callback(new Error(failure.kind), null); // no `UND_ERR_*` code: undici would try again by itself
    });
    this.#cancelConnect = () => {
      this.#cancelConnect = null;
      giveUp();
      callback(new Error('cancelled'), null);
    };
  }

  // ---- for the exchange

  /** How the socket came about that the request is about to be written to. */
  takeConnectFacts(): { reused: boolean; connectMs: number } {
    this.#requests++;
    const reused = this.#requests > 1;
    return {
      reused,
      connectMs: reused || this.#connectStartedMs === 0 ? 0 : this.#clock.nowMs() - this.#connectStartedMs,
    };
  }

  failureOf(error: Error & { code?: unknown }, headSeen: boolean): Failure {
    if (this.#connectFailure !== null) return this.#connectFailure;
    const code = typeof error.code === 'string' ? error.code : error.name;
    if (headSeen) return { kind: 'reset_in_body', code };
    if (isMalformed(error)) return { kind: 'bad_response', detail: 'The answer is no HTTP/1.1.' };
    if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError)
      return { kind: 'internal', detail: error.message };
    return { kind: 'reset_before_head', code };
  }
}

function destroy(socket: Socket): void {
  socket.destroy();
}

function isMalformed(error: Error): boolean {
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) return true;
  if (error instanceof errors.ResponseContentLengthMismatchError) return true;
  return error instanceof errors.SocketError && error.message.startsWith('bad ');
}

/** One request in undici's terms, translated into ours. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #slot: Http1Slot;
  readonly #handler: UpstreamHandler;
  #controller: Dispatcher.DispatchController | null = null;
  #headSeen = false;
  #over = false;

  constructor(slot: Http1Slot, handler: UpstreamHandler) {
    this.#slot = slot;
    this.#handler = handler;
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('cancelled'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) throw new Error('cancelled before it was sent');
    this.#controller = controller;
    const { reused, connectMs } = this.#slot.takeConnectFacts();
    this.#handler.onConnected(reused, connectMs);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#over) return;
    const headers = asTexts(controller.rawHeaders);
    if (status < 200) this.#handler.onInformation(status, headers);
    else {
      this.#headSeen = true;
      this.#handler.onHead(status, statusText ?? '', headers);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#handler.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    const trailers = asTexts(controller.rawTrailers);
    this.#handler.onEnd(trailers.length === 0 ? null : trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: unknown }): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onError(this.#slot.failureOf(error, this.#headSeen));
  }
}

/** Flat list of Latin-1 texts. */
function asTexts(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return [];
  const texts: string[] = new Array(raw.length);
  for (let at = 0; at < raw.length; at++) {
    const text = raw[at] as Buffer | string;
    texts[at] = typeof text === 'string' ? text : text.toString('latin1');
  }
  return texts;
}
