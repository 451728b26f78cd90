/**
 * HTTP on the connections of one listener: Node's HTTP/1.1 and HTTP/2 servers, which never listen themselves.
 * `net/listener` hands them sockets; they live as long as the process, and what is behind them is swapped.
 *
 * What Node's parsers refuse never becomes a request; `onParserError` gives it the same answer and log line as
 * any other failure.
 */
import assert from 'node:assert/strict';
import http, { type IncomingMessage, ServerResponse } from 'node:http';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../net/connection.ts';
import { describeDefect } from '../resilience/defect.ts';
import type { RawRequest } from '../security/request_head.ts';
import { ClientConnection } from './client/connection.ts';
import { ConnectionDrain } from './client/connection_drain.ts';
import { cutCauseOf } from './client/cut_cause.ts';
import { Http1ClientStream } from './client/http1_stream.ts';
import { Http2ClientStream } from './client/http2_stream.ts';
import { parserFailure, refuseBytes } from './client/parser_error.ts';
import type { ClientStream } from './client/stream.ts';
import type { BoundListener } from './data_plane.ts';
import { handleRequest } from './handle_request.ts';
import type { ListenerSettings } from './listener_settings.ts';
import { RoutingContext, type Services } from './request.ts';
import { Responder } from './responder.ts';

/** Of a response; the backend's side has bounded it already. nghttp2 would end the connection above 64 KiB. */
const SENT_HEAD_BYTES_MAX = 1024 * 1024;
/** Streams over the limit that a session may have refused before it is ended. */
const REJECTED_STREAMS_MAX = 1_000;
/** Node's default. */
const SESSION_MEGABYTES_MIN = 10;
/** What a field of HTTP/2 counts for at least: 32 and its own length. */
const HEADER_FIELD_BYTES_MIN = 32;
/** A client that has said that it leaves has so long to end its connection. */
const CLOSE_MS_MAX = 2_000;
/** How often an HTTP/2 connection is asked whether it sends anything of use. */
const WASTE_LOOK_MS = 1_000;
/** For the last answers of a listener that was removed to get out. */
const LAST_WORDS_MS = 1_000;
/** Node looks this often for heads that are overdue. */
const HEAD_CHECK_MS_MAX = 500;
/** Requests of one connection that may wait for their turn (HTTP pipelining, RFC 9112 section 9.3.2). */
const PIPELINED_MAX = 64;
/** Node keeps at most this many idle milliseconds of grace after `keepAliveIdleMs`, for a request that is on its way. */
const KEEP_ALIVE_GRACE_MS = 1_000;

export class ListenerServer {
  readonly #services: Services;
  readonly #name: string;
  readonly #connections = new WeakMap<Socket, ClientConnection>();
  /** For the end of the listener. */
  readonly #open = new Set<ClientConnection>();
  readonly #drain: ConnectionDrain;
  #onEmpty: (() => void) | null = null;
  #isDraining = false;
  readonly #sessions = new Map<ServerHttp2Session, ClientConnection>();
  #lastBound: BoundListener | null = null;
  readonly #http1: http.Server;
  #settings: ListenerSettings;
  #http2: http2.Http2Server;

  constructor(settings: ListenerSettings, services: Services) {
    this.#settings = settings;
    this.#name = settings.name;
    this.#services = services;
    this.#drain = new ConnectionDrain(() => this.#open, services.clock);
    this.#http1 = this.#createHttp1();
    this.#http2 = this.#createHttp2(settings);
    this.#applyToHttp1(settings);
  }

  /** Takes other settings; open connections stay, and an HTTP/2 session keeps what it was opened with. */
  update(settings: ListenerSettings): void {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#applyToHttp1(settings);
    this.#http2 = this.#createHttp2(settings);
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
    this.#http2.once('session', session => this.#onSession(session, connection));
    this.#http2.emit('connection', socket); // says 'session' in the same turn
  }

  /** Tells HTTP/2 clients to open no more streams here; what is under way goes on. HTTP/1.1 hears it with the next answer. */
  goAway(): void {
    for (const session of this.#sessions.keys()) if (!session.closed) session.close();
  }

  /** Ends connections as they become quiet; requests under way go on, and each answer closes its connection. */
  drain(): void {
    this.#isDraining = true;
    this.goAway();
    this.#drain.begin();
  }

  /**
   * The listener is no longer in the plan. Resolves when its last connection has ended: at `timeoutMs` what is still under
   * way fails with `shutting_down`, and nothing of the listener is left in memory.
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
    const { clock, traffic } = this.#services;
    for (const request of traffic.active.list())
      if (this.#open.has(request.peer as ClientConnection)) request.fail({ kind: 'shutting_down' });
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
    this.#http1.close(); // its watch over slow heads too: a timer, which would keep all of this in memory
    for (const session of this.#sessions.keys()) session.destroy();
  }

  // ---- HTTP/1.1

  #createHttp1(): http.Server {
    const server = http.createServer({
      requestTimeout: 0, // the body has `bodyIdle`; a whole upload may take as long as it progresses
      keepAliveTimeoutBuffer: KEEP_ALIVE_GRACE_MS,
      requireHostHeader: false, // ours says why
      insecureHTTPParser: false,
      shouldUpgradeCallback: asksForWebSocket,
    });
    server.maxHeadersCount = 0; // Node would drop what is above it in silence; `parseRequestHead` refuses
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
    // Node starts its watch over slow heads, or starts it anew, when a server listens; this one is fed by hand.
    this.#http1.emit('listening');
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    if (connection.active >= PIPELINED_MAX) {
      // The parser goes on with what is in the same packet.
      if (!request.socket.destroyed) this.#services.telemetry.connectionCut(this.#name, 'pipelining');
      request.socket.destroy();
      return;
    }
    const protocol = PROTOCOLS[request.httpVersion];
    if (protocol === undefined) {
      if (connection.active > 0) {
        connection.closeWhenIdle(); // the answers before it come first
        return;
      }
      refuseBytes(this.#services, this.#bound(), connection, request.socket, WRONG_VERSION);
      return;
    }
    const client = new Http1ClientStream(request, response, this.#services.clock);
    // Node's parser drops what comes in the same packet behind an upgrade, also behind one that is ignored.
    if (request.headers.upgrade !== undefined && !connection.hasRead(headBytes(request)))
      client.closeAfterAnswer();
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
   * CONNECT, or a WebSocket handshake: Node has taken its parser off the connection. Behind a request that is still
   * to be answered nobody may send one (RFC 9110 section 7.8 makes the answer the beginning of the tunnel): it is dropped.
   */
  #onDetached(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined && connection.active > 0) {
      this.#onlyAnswer(connection, socket);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    noticeEnd(socket);
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on('finish', () => socket.destroySoon());
    this.#onRequest(request, response);
  }

  /** Requests on it are still answered; what comes in is thrown away, and only tells that the client leaves. */
  #onlyAnswer(connection: ClientConnection, socket: Socket): void {
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
        socket.destroy(); // the rest of a body that was not wanted: that request has its line
      else latest.fail(failure);
    } else if (latest.isOver) refuseBytes(this.#services, this.#bound(), connection, socket, failure);
    else connection.closeWhenIdle(); // garbage after a good request: that one is answered first
  }

  // ---- HTTP/2

  #createHttp2(settings: ListenerSettings): http2.Http2Server {
    const { streamsMax, streamWindowBytes } = settings.http2Settings;
    const server = http2.createServer({
      settings: {
        enablePush: false,
        maxConcurrentStreams: streamsMax,
        initialWindowSize: streamWindowBytes,
        // Node resets a stream above this without an answer: a head above the limit shall get its 431.
        maxHeaderListSize: 2 * settings.head.headBytesMax,
      },
      // More pairs than allowed are read, so that the refusal is an answer (431) and not a reset; and a cookie may come in as
      // many crumbs as the bytes of a head allow, each at least of this size (RFC 9113 section 6.5.2).
      maxHeaderListPairs: Math.max(
        2 * settings.head.headerCountMax,
        Math.ceil(settings.head.headBytesMax / HEADER_FIELD_BYTES_MIN),
      ),
      maxSettings: 16,
      maxOutstandingPings: 10,
      maxSessionInvalidFrames: REJECTED_STREAMS_MAX, // a stream over the limit counts as one
      // A burst that was sent before our SETTINGS were read costs its own streams, not the connection.
      maxSessionRejectedStreams: Math.max(REJECTED_STREAMS_MAX, 4 * streamsMax),
      maxSessionMemory: sessionMemoryMegabytes(settings),
      // Rapid reset (CVE-2023-44487): a burst, then a trickle, then GOAWAY.
      streamResetBurst: 2 * streamsMax,
      streamResetRate: 33,
      unknownProtocolTimeout: settings.headMs,
      maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
      strictSingleValueFields: false, // what a backend sends twice is passed on twice, and throws nothing
    });
    server.on('stream', (stream, _headers, flags, rawHeaders) =>
      this.#safely(stream, () => this.#onStream(stream as ServerHttp2Stream, flags, rawHeaders)),
    );
    server.on('sessionError', ignore); // the session closes; each of its requests ends by its own stream
    return server;
  }

  #onSession(session: ServerHttp2Session, connection: ClientConnection): void {
    this.#sessions.set(session, connection);
    session.on('close', () => this.#sessions.delete(session));
    session.on('error', error => {
      const cause = cutCauseOf(error);
      if (cause !== null) this.#services.telemetry.connectionCut(this.#name, cause);
    });
    session.setLocalWindowSize(this.#settings.http2Settings.connectionWindowBytes);
    this.#watchIdle(session, connection, this.#settings.keepAliveIdleMs);
  }

  /**
   * Without a request for `idleMs` it ends; bytes that are no request (pings, half a head) do not count. It also ends when it
   * was closed in another way and has no request left. Node waits then for the client to close its side, for ever.
   */
  #watchIdle(session: ServerHttp2Session, connection: ClientConnection, idleMs: number): void {
    const { clock } = this.#services;
    const isOver = () => session.closed && connection.active === 0;
    const end = () => {
      if (isOver() && this.#isDraining) return; // `ConnectionDrain` knows whether bytes still move
      if (isOver()) connection.destroy();
    };
    const endSoon = () => {
      if (isOver()) clock.setTimer(end, CLOSE_MS_MAX, undefined);
    };
    let sinceMs = clock.nowMs();
    const look = () => {
      if (this.#endIfWasteful(connection)) return;
      const leftMs = connection.active > 0 ? idleMs : sinceMs + idleMs - clock.nowMs();
      if (leftMs > 0) timer = clock.setTimer(look, Math.min(leftMs, WASTE_LOOK_MS), undefined);
      else {
        session.close();
        endSoon();
      }
    };
    let timer = clock.setTimer(look, Math.min(idleMs, WASTE_LOOK_MS), undefined);
    session.once('close', () => clock.cancelTimer(timer));
    session.on('goaway', endSoon);
    connection.onIdle = () => {
      sinceMs = clock.nowMs();
      endSoon();
    };
  }

  /** Heads that Node resets by itself, HPACK bombs above all, never become a request: only their bytes are seen. */
  #endIfWasteful(connection: ClientConnection): boolean {
    const { clock, telemetry } = this.#services;
    // What waits of a body that a backend does not take is no waste; it fits into the window.
    const unreadBytesMax = connection.active > 0 ? this.#settings.http2Settings.connectionWindowBytes : 0;
    if (!connection.isWasteful(unreadBytesMax, clock.nowMs())) return false;
    telemetry.connectionCut(this.#name, 'flood');
    connection.destroy();
    return true;
  }

  #onStream(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    stream.on('error', ignore); // also where the session has gone in the same turn
    const connection =
      stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session);
    if (connection === undefined) return;
    const raw = rawHttp2Request(rawHeaders, (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    this.#begin(connection, new Http2ClientStream(stream, raw.method, this.#services.clock), raw);
  }

  // ---- both

  /** A defect of ours costs the connection or stream on which it shows, and no other one. */
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
    if (this.#isDraining || this.#services.traffic.draining) client.closeAfterAnswer();
    const { requestsMax } = this.#settings;
    if (requestsMax !== null && connection.requests >= requestsMax) client.closeAfterAnswer();
    handleRequest(context, responder);
  }

  /** The listener as the current plan has it; on a connection that outlives its listener, as the last plan had it. */
  #bound(): BoundListener {
    this.#lastBound = this.#services.planeRef.current.plane.listeners.get(this.#name) ?? this.#lastBound;
    assert(this.#lastBound !== null, 'a listener server is made for a listener of the current plan');
    return this.#lastBound;
  }
}

/** Nobody reads this connection before it is a tunnel (`Http1ClientStream.takeSocket`), and a client may leave earlier. */
function noticeEnd(socket: Socket): void {
  socket.on('readable', () => {
    if (socket.readableLength === 0) socket.read(); // says 'end' if this is the end
  });
  socket.once('end', () => {
    if (socket.listenerCount('readable') > 0) socket.destroy();
  });
}

/** As clients write it: one space behind each colon. */
function headBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + '  HTTP/1.1\r\n\r\n'.length;
  for (const text of rawHeaders) bytes += text.length + 2; // ': ' or CRLF
  return bytes;
}

/** Only `Upgrade: websocket` is an upgrade for us; any other is ignored (RFC 9110 section 7.8 allows that). */
function asksForWebSocket(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    request.headers.upgrade?.toLowerCase() === 'websocket'
  );
}

/** What the streams of one session may hold at once, in the unit of Node: a head each, what is being written, and the windows. */
function sessionMemoryMegabytes({ head, http2Settings }: ListenerSettings): number {
  const { streamsMax, streamWindowBytes, connectionWindowBytes } = http2Settings;
  const bytes = connectionWindowBytes + streamsMax * (head.headBytesMax + 2 * streamWindowBytes);
  return Math.max(SESSION_MEGABYTES_MIN, Math.ceil(bytes / 1_000_000));
}

/** Pseudo-header fields (RFC 9113 section 8.3) come first and are told apart by their colon. */
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

/** Node's HTTP/1 parser reads `GET / HTTP/2.0` and `HTTP/0.9` too. */
const PROTOCOLS: Readonly<Record<string, RawRequest['protocol']>> = { '1.0': 'HTTP/1.0', '1.1': 'HTTP/1.1' };

const WRONG_VERSION = {
  kind: 'bad_request',
  detail: 'The HTTP version is not supported.',
} as const;

function ignore(): void {}
