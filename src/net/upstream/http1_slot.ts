/**
 * One slot of an HTTP/1.1 upstream: one undici `Client`, which holds at most one socket; or, in its place, a socket outside
 * undici, for a WebSocket or for `OPTIONS *`.
 *
 * What to know about undici 8 before changing this:
 * - `controller.rawHeaders` holds the fields as received; the parsed object is created for each response all the same.
 * - `onRequestStart` comes when the socket is ready and nothing was written yet. Undici lets the event loop turn once before
 *   it reuses an idle socket, and opens a new one by itself if the old one turns out to be closed. So only
 *   `onRequestStart` knows whether the socket is reused.
 * - `reset: false` keeps the connection after HEAD. `servername` must stay the same: a change closes the connection.
 * - `blocking: false` and `idempotent: true`: nothing waits, because there is only one request at a time.
 * - A body stream is destroyed on any error, and when the response comes before its end.
 */
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import Client from 'undici/lib/dispatcher/client.js';
import type { Clock } from '../../resilience/clock.ts';
import type { Failure } from '../../resilience/failure.ts';
import { type ConnectTarget, connect } from '../connect.ts';
import { RESPONSE_HEAD_BYTES_MAX } from '../one_off_request.ts';
import type {
  SocketCallback,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamSettings,
  UpstreamSlot,
} from '../upstream.ts';
import { type ConnectionFacts, Http1Exchange } from './http1_exchange.ts';
import { type OneOffExchange, sendOnSocket } from './one_off_exchange.ts';
import { readPastContinue } from './undici_parser.ts';

/**
 * With `Keep-Alive: timeout=5` from a backend, the connection is not used after 4 s: the request needs time to get
 * there.
 */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** A backend that does not close its side within this time loses the connection. */
const CLOSE_MS_MAX = 1_000;
const CLOSED: Failure = { kind: 'connect_refused', code: 'CLOSED' };

type UndiciCallback = (error: Error | null, socket: Socket | null) => void;

export class Http1Slot implements UpstreamSlot, ConnectionFacts {
  /** The settings that the slot was created with. */
  readonly settings: UpstreamSettings;
  readonly #target: ConnectTarget;
  readonly #requestsMax: number;
  readonly #ageMsMax: number;
  readonly #clock: Clock;
  readonly #client: Client;
  /** Undici's socket, from the end of connecting to its close. */
  #socket: Socket | null = null;
  /** The socket of the current request. */
  #used: Socket | null = null;
  #bornAtMs = 0;
  #requests = 0;
  #connectStartedAtMs = 0;
  /** Cancels the connecting in progress; `true` reports it to the callback. */
  #cancelConnect: ((notify: boolean) => void) | null = null;
  #oneOffSocket: Socket | null = null;
  #exchange: Http1Exchange | OneOffExchange | null = null;
  connectFailure: Failure | null = null;
  reused = false;
  connectMs = 0;

  /** `ageMsMax` is the maximum age of this slot's connections, with its jitter. */
  constructor(target: ConnectTarget, settings: UpstreamSettings, ageMsMax: number, clock: Clock) {
    this.settings = settings;
    this.#target = target;
    this.#requestsMax = settings.requestsMax ?? Number.POSITIVE_INFINITY;
    this.#ageMsMax = ageMsMax;
    this.#clock = clock;
    this.#client = new Client(target.tls === null ? 'http://backend' : 'https://backend', {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0, // resilience/timeouts.ts has the timeouts of a request
      bodyTimeout: 0,
      keepAliveTimeout: settings.idleMs,
      keepAliveMaxTimeout: settings.idleMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      connect: (_options, callback) => this.#connect(callback as UndiciCallback),
    });
    this.#client.on('connect', () => {
      if (this.#socket !== null) readPastContinue(this.#socket);
    });
    this.#client.on('disconnect', () => {
      this.#socket = null;
    });
  }

  /** Holds a connection, or is opening one. */
  get isOpen(): boolean {
    return this.#socket !== null || this.#cancelConnect !== null || this.#oneOffSocket !== null;
  }

  /** Holds a connection that is open, as far as is known. */
  get isConnected(): boolean {
    return this.#socket !== null && !this.#socket.destroyed;
  }

  /** The connection has reached its limit of requests or age. */
  get isExhausted(): boolean {
    if (!this.isConnected) return false;
    return this.#requests >= this.#requestsMax || this.#clock.nowMs() - this.#bornAtMs >= this.#ageMsMax;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (request.target === '*') {
      this.#sendOneOff(request, handler);
      return;
    }
    if (request.fresh === true) this.#socket?.destroy();
    this.connectFailure = null;
    const exchange = new Http1Exchange(this, handler, request);
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
    this.#cancelConnect?.(false);
    this.#oneOffSocket?.destroy();
  }

  openSocket(callback: SocketCallback): void {
    this.#socket?.destroy(); // a slot counts as one connection, not two
    const giveUp = connect(this.#target, this.#clock, (failure, socket) => {
      this.#cancelConnect = null;
      this.#oneOffSocket = socket;
      socket?.once('close', () => {
        if (this.#oneOffSocket === socket) this.#oneOffSocket = null;
      });
      callback(failure, socket);
    });
    this.#cancelConnect = notify => {
      this.#cancelConnect = null;
      giveUp();
      if (notify) callback(CLOSED, null);
    };
  }

  /** Called when the slot is given back: cancels what is still in progress. */
  endUse(): void {
    this.abort();
    this.#exchange = null;
  }

  /** Closes the connection cleanly. `callback` is called when the backend has closed it too, or takes too long. */
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

  /** Ends the slot; a request in progress gets an error. */
  destroy(): void {
    this.#cancelConnect?.(true);
    this.#oneOffSocket?.destroy();
    this.#client.destroy(() => {});
  }

  // ---- for the exchange

  /** Bytes written on the connection of the current request, also after its end. */
  get bytesWritten(): number {
    return this.#used?.bytesWritten ?? Number.NaN;
  }

  get isDestroyed(): boolean {
    return this.#used?.destroyed !== false;
  }

  closeAfterResponse(): void {
    this.#used?.destroy();
  }

  onRequestStart(): void {
    this.#used = this.#socket;
    this.reused = this.#requests > 0;
    this.#requests++;
    this.connectMs = this.reused ? 0 : this.#clock.nowMs() - this.#connectStartedAtMs;
  }

  // ---- connections

  /** Undici asks for a socket. */
  #connect(callback: UndiciCallback): void {
    this.#connectStartedAtMs = this.#clock.nowMs();
    const finish = (failure: Failure | null, socket: Socket | null): void => {
      this.#cancelConnect = null;
      this.connectFailure = failure;
      // For an error without an `UND_ERR_*` code undici fails the request; with one it would retry by itself.
      if (failure !== null) callback(new Error(failure.kind), null);
      else if (socket !== null) {
        this.#adopt(socket);
        callback(null, socket);
      }
    };
    const giveUp = connect(this.#target, this.#clock, finish);
    this.#cancelConnect = () => {
      giveUp();
      finish(CLOSED, null); // undici waits for a socket, so it must be told in any case
    };
  }

  #adopt(socket: Socket): void {
    this.#socket = socket;
    this.#bornAtMs = this.#clock.nowMs();
    this.#requests = 0;
    socket.on('error', error => this.#exchange?.onSocketError(error)); // before undici sees the error
  }

  /** Undici refuses to send the target `*`. */
  #sendOneOff(request: UpstreamRequest, handler: UpstreamHandler): void {
    const startedAtMs = this.#clock.nowMs();
    this.openSocket((failure, socket) => {
      if (failure !== null) handler.onError(failure);
      else if (socket !== null) {
        handler.onConnected(false, this.#clock.nowMs() - startedAtMs);
        if (!socket.destroyed) this.#exchange = sendOnSocket(socket, request, handler);
      }
    });
  }
}

function destroy(socket: Socket): void {
  socket.destroy();
}
