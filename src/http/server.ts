/**
 * HTTP on the connections of one listener: Node's HTTP/1.1 and HTTP/2 servers, which never listen themselves.
 * `net/listener` passes sockets to them. They live as long as the process; the plan behind them is swapped.
 *
 * Bytes that Node's parsers refuse never become a request. `onParserError` gives them the same response and log line as any
 * other failure.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Connection, CutCause } from '../net/connection.ts';
import { http } from '../net/node_http.ts';
import { describeDefect } from '../resilience/defect.ts';
import type { RawRequest } from '../security/request_head.ts';
import { countByRoute } from './active_requests.ts';
import { ClientConnection } from './client/connection.ts';
import { ConnectionDrain } from './client/connection_drain.ts';
import { Http1ClientStream } from './client/http1_stream.ts';
import { http2ServerOptions } from './client/http2_options.ts';
import { Http2Sessions } from './client/http2_sessions.ts';
import { Http2ClientStream } from './client/http2_stream.ts';
import { parserFailure, refuseBytes } from './client/parser_error.ts';
import type { ClientStream } from './client/stream.ts';
import type { BoundListener } from './data_plane.ts';
import { handleRequest } from './handle_request.ts';
import type { ListenerSettings } from './listener_settings.ts';
import { RoutingContext, type Services } from './request.ts';
import { Responder } from './responder.ts';

/** How long the last responses of a removed listener may take to leave. */
const LAST_WORDS_MS = 1_000;
/** How often Node looks for request heads that are overdue. */
const HEAD_CHECK_MS_MAX = 500;
/** Requests of one connection that may wait for their turn (HTTP pipelining, RFC 9112 section 9.3.2). */
const PIPELINED_MAX = 64;
/** Added by Node to `keepAliveIdleMs`, for a request that is already on its way. */
const KEEP_ALIVE_GRACE_MS = 1_000;

export class ListenerServer {
  readonly #services: Services;
  readonly #name: string;
  readonly #connections = new WeakMap<Socket, ClientConnection>();
  /** All open connections, to end them with the listener. */
  readonly #open = new Set<ClientConnection>();
  readonly #drain: ConnectionDrain;
  #onEmpty: (() => void) | null = null;
  #isDraining = false;
  readonly #sessions: Http2Sessions;
  #lastBound: BoundListener | null = null;
  readonly #http1: Server;
  #settings: ListenerSettings;
  #http2: http2.Http2Server;

  constructor(settings: ListenerSettings, services: Services) {
    this.#settings = settings;
    this.#name = settings.name;
    this.#services = services;
    this.#sessions = new Http2Sessions({
      clock: services.clock,
      isDraining: () => this.#isDraining,
      onCut: (connection, cause) => this.#onCut(connection, cause),
    });
    this.#drain = new ConnectionDrain(() => this.#open, services.clock);
    this.#http1 = this.#createHttp1();
    this.#http2 = this.#createHttp2(settings);
    this.#applyToHttp1(settings);
  }

  /** Applies other settings. Open connections stay, and an HTTP/2 session keeps the settings that it was opened with. */
  update(settings: ListenerSettings): void {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#applyToHttp1(settings);
    this.#http2 = this.#createHttp2(settings);
  }

  /** Called while the current plan has this listener: remembers its part, for connections that arrive when a later plan lacks it. */
  onPlan(): void {
    this.#bound();
  }

  /** Takes over a connection that `net/listener` has accepted. */
  accept(socket: Socket, tracked: Connection, protocol: 'http1' | 'http2'): void {
    const connection = new ClientConnection(tracked, socket, protocol);
    this.#open.add(connection);
    socket.once('close', () => this.#onClosed(connection));
    if (protocol === 'http1') {
      this.#connections.set(socket, connection);
      this.#http1.emit('connection', socket);
      return;
    }
    socket.allowHalfOpen = false; // a connection with many streams is of no use half closed
    this.#http2.once('session', session => this.#sessions.add(session, connection, this.#settings));
    this.#http2.emit('connection', socket); // emits 'session' synchronously
  }

  /**
   * Tells HTTP/2 clients to open no more streams; streams in progress continue. HTTP/1.1 clients learn it with the
   * next response.
   */
  goAway(): void {
    this.#sessions.goAway();
  }

  /** Closes connections as they become idle; requests in flight continue, and each response closes its connection. */
  drain(): void {
    this.#isDraining = true;
    this.goAway();
    this.#drain.begin();
  }

  /**
   * Ends a listener that is no longer in the plan. Resolves when its last connection has ended. After `timeoutMs` the
   * requests that are left fail with `shutting_down`, so that nothing of the listener stays in memory.
   */
  async retire(timeoutMs: number): Promise<void> {
    const { clock } = this.#services;
    const { promise: empty, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    this.drain();
    if (this.#open.size === 0) resolve();
    const timer = clock.setTimer(() => this.#abort(), timeoutMs, undefined);
    await empty;
    clock.cancelTimer(timer);
    this.close();
  }

  #abort(): void {
    const { clock, traffic, telemetry } = this.#services;
    const left = traffic.active.list().filter(({ peer }) => this.#open.has(peer as ClientConnection));
    if (left.length > 0)
      telemetry.emit({
        kind: 'requests_cut',
        listener: this.#name,
        count: left.length,
        routes: countByRoute(left),
      });
    for (const request of left) request.fail({ kind: 'shutting_down' });
    clock.setTimer(() => this.#destroyAll(), LAST_WORDS_MS, undefined);
  }

  #destroyAll(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #onClosed(connection: ClientConnection): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  /** Closes the server and destroys the HTTP/2 sessions that are still open. */
  close(): void {
    this.#drain.stop();
    this.#http1.close(); // stops its timer for slow heads too, which would keep this object in memory
    this.#sessions.destroyAll();
  }

  // ---- HTTP/1.1

  #createHttp1(): Server {
    const server = http.createServer({
      requestTimeout: 0, // the body has `bodyIdle`: an upload may take any time as long as it makes progress
      keepAliveTimeoutBuffer: KEEP_ALIVE_GRACE_MS,
      requireHostHeader: false, // our own check says why
      insecureHTTPParser: false,
      shouldUpgradeCallback: asksForWebSocket,
    });
    server.maxHeadersCount = 0; // Node would silently drop fields above the limit; `parseRequestHead` refuses them
    server.timeout = 0;
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      this.#safely(request.socket, () => this.#onRequest(request, response));
    const onDetached = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#safely(socket, () => this.#onDetached(request, socket as Socket, head));
    server.on('request', onRequest);
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('upgrade', onDetached);
    server.on('connect', onDetached);
    server.on('clientError', (error, socket) =>
      this.#safely(socket, () => this.#onParserError(error, socket as Socket)),
    );
    return server;
  }

  #applyToHttp1(settings: ListenerSettings): void {
    const { head, headMs, keepAliveIdleMs } = settings;
    const connectionsCheckingInterval = Math.min(headMs / 4, HEAD_CHECK_MS_MAX);
    Object.assign(this.#http1, { maxHeaderSize: head.headBytesMax, connectionsCheckingInterval });
    this.#http1.headersTimeout = headMs;
    this.#http1.keepAliveTimeout = keepAliveIdleMs;
    // Node starts its check for slow heads when a server begins to listen; this server never listens.
    this.#http1.emit('listening');
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    if (connection.active >= PIPELINED_MAX) {
      // The parser continues with the rest of the packet, and each further request in it gets here.
      if (!request.socket.destroyed) this.#services.telemetry.connectionCut(this.#name, 'pipelining');
      request.socket.destroy();
      return;
    }
    if (connection.isSpent) {
      request.resume(); // only so that the end of the connection is noticed
      return;
    }
    const protocol = PROTOCOLS[request.httpVersion];
    if (protocol === undefined) {
      connection.closeWhenIdle();
      if (connection.active > 0) return; // earlier responses go first
      refuseBytes(this.#services, this.#bound(), connection, request.socket, WRONG_VERSION);
      return;
    }
    const client = new Http1ClientStream(request, response, this.#services.clock);
    // Node's parser drops bytes that arrive in the same packet after an upgrade, also after one that is ignored.
    if (request.headers.upgrade !== undefined && !connection.hasRead(headBytes(request)))
      client.closeAfterResponse();
    this.#begin(connection, client, {
      method: request.method ?? '',
      target: request.url ?? '',
      headers: request.rawHeaders,
      protocol,
      authority: null,
      endOfStream: false,
    });
  }

  /**
   * CONNECT or a WebSocket handshake: Node has detached its parser from the connection. It is not allowed behind a
   * request that has no response yet (RFC 9110 section 7.8 makes the response the beginning of the tunnel), so it is
   * dropped.
   */
  #onDetached(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined && connection.active > 0) {
      this.#finishResponses(connection, socket);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    noticeEnd(socket);
    const response = new http.ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on('finish', () => socket.destroySoon());
    this.#onRequest(request, response);
  }

  /** Finishes the responses in progress. What still comes in is discarded, and only shows whether the client leaves. */
  #finishResponses(connection: ClientConnection, socket: Socket): void {
    connection.closeWhenIdle();
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      const { active } = this.#services.traffic;
      for (const request of active.list()) if (request.peer === connection) request.onClientClose(false);
    });
    socket.resume();
  }

  #onParserError(
    error: Error & { code?: string; bytesParsed?: number; rawPacket?: Buffer },
    socket: Socket,
  ): void {
    const connection = this.#connections.get(socket);
    const failure = parserFailure(error, this.#settings);
    if (connection === undefined || failure === null) {
      socket.destroy();
      return;
    }
    const { latest } = connection;
    if (latest === null) refuseBytes(this.#services, this.#bound(), connection, socket, failure);
    else if (!latest.bodyReceived) {
      if (latest.isOver)
        socket.destroy(); // the rest of an unwanted body; its request is already logged
      else latest.fail(failure);
    } else if (latest.isOver) refuseBytes(this.#services, this.#bound(), connection, socket, failure);
    else connection.closeWhenIdle(); // garbage after a good request: that request gets its response first
  }

  // ---- HTTP/2

  #createHttp2(settings: ListenerSettings): http2.Http2Server {
    const server = http2.createServer(http2ServerOptions(settings));
    server.on('stream', (stream, _headers, flags, rawHeaders) =>
      this.#safely(stream, () => this.#onStream(stream as ServerHttp2Stream, flags, rawHeaders)),
    );
    server.on('sessionError', ignore); // the session closes, and each of its requests ends with its own stream
    return server;
  }

  #onCut(connection: ClientConnection, cause: CutCause): void {
    this.#services.telemetry.connectionCut(this.#name, cause);
    connection.noteCut();
  }

  #onStream(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    stream.on('error', ignore); // also if the session was destroyed in the same turn
    const connection = this.#sessions.connectionOf(stream);
    if (connection === undefined) return;
    const raw = rawHttp2Request(rawHeaders, (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    this.#begin(connection, new Http2ClientStream(stream, raw.method, this.#services.clock, connection), raw);
  }

  // ---- both

  /** An internal error costs the connection or stream on which it occurs, and no other. */
  #safely(stream: Duplex, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#services.telemetry.emit({ kind: 'defect', requestId: null, detail: describeDefect(error) });
      stream.destroy();
    }
  }

  #begin(connection: ClientConnection, client: ClientStream, raw: RawRequest): void {
    connection.onRequestBegin();
    const context = new RoutingContext(this.#services, this.#bound(), connection, raw);
    const responder = new Responder(context, client);
    connection.latest = responder;
    if (this.#isDraining || this.#services.traffic.draining) client.closeAfterResponse();
    const { requestsMax } = this.#settings;
    if (requestsMax !== null && connection.requests >= requestsMax) client.closeAfterResponse();
    handleRequest(context, responder);
  }

  /** The listener in the current plan. A connection that outlives its listener keeps the last plan that had it. */
  #bound(): BoundListener {
    this.#lastBound = this.#services.planeRef.current.plane.listeners.get(this.#name) ?? this.#lastBound;
    assert(this.#lastBound !== null, 'a listener server is made for a listener of the current plan');
    return this.#lastBound;
  }
}

/**
 * Notices a client that leaves before the connection becomes a tunnel (`Http1ClientStream.takeSocket`): nobody reads
 * it until then.
 */
function noticeEnd(socket: Socket): void {
  socket.on('readable', () => {
    if (socket.readableLength === 0) socket.read(); // emits 'end' if this is the end
  });
  socket.once('end', () => {
    if (socket.listenerCount('readable') > 0) socket.destroy();
  });
}

/** Size of the head as clients usually write it, with one space after each colon. */
function headBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + '  HTTP/1.1\r\n\r\n'.length;
  for (const text of rawHeaders) bytes += text.length + 2; // ': ' or CRLF
  return bytes;
}

/** Only `Upgrade: websocket` is handled; RFC 9110 section 7.8 allows any other to be ignored. */
function asksForWebSocket(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    request.headers.upgrade?.toLowerCase() === 'websocket'
  );
}

/** Pseudo-header fields (RFC 9113 section 8.3) come first, and their names begin with a colon. */
function rawHttp2Request(rawHeaders: readonly string[], endOfStream: boolean): RawRequest {
  let method = '';
  let target = '';
  let authority: string | null = null;
  let at = 0;
  for (; rawHeaders[at]?.startsWith(':') === true; at += 2) {
    const value = rawHeaders[at + 1] ?? '';
    if (rawHeaders[at] === ':method') method = value;
    else if (rawHeaders[at] === ':path') target = value;
    else if (rawHeaders[at] === ':authority') authority = value;
  }
  return { method, target, headers: rawHeaders.slice(at), protocol: 'HTTP/2.0', authority, endOfStream };
}

/** Node's HTTP/1 parser also accepts `GET / HTTP/2.0` and `HTTP/0.9`. */
const PROTOCOLS: Readonly<Record<string, RawRequest['protocol']>> = { '1.0': 'HTTP/1.0', '1.1': 'HTTP/1.1' };

const WRONG_VERSION = {
  kind: 'bad_request',
  detail: 'The HTTP version is not supported.',
} as const;

function ignore(): void {}
