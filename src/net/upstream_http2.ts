/**
 * HTTP/2 connections to one endpoint, on node:http2: by ALPN where there is TLS, else by prior knowledge
 * (RFC 9113 section 3.3). A slot is one stream. A session takes streams until the peer's limit; a further one is
 * opened only when all are full. Not undici's HTTP/2: it sends no request trailers, and full duplex (gRPC) needs
 * the stream itself.
 */
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import { type ConnectTarget, connect } from './connect.ts';
import type {
  SocketCallback,
  Upstream,
  UpstreamCounts,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamSettings,
  UpstreamSlot,
} from './upstream.ts';

/** Until the peer's SETTINGS say otherwise, and never more. RFC 9113 section 6.5.2 recommends at least 100. */
const STREAMS_MAX = 100;
const WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
const AGE_JITTER = 0.1;

export class Http2Upstream implements Upstream {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessions: Session[] = [];
  readonly #roomListeners = new Set<() => void>();
  #inUse = 0;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  get counts(): UpstreamCounts {
    return { open: this.#sessions.length, inUse: this.#inUse };
  }

  get hasRoom(): boolean {
    return (
      this.#sessions.length < this.#settings.connectionsMax || this.#sessions.some(session => session.hasRoom)
    );
  }

  take(): UpstreamSlot | null {
    let session = this.#sessions.findLast(candidate => candidate.hasRoom);
    if (session === undefined) {
      if (this.#sessions.length >= this.#settings.connectionsMax) return null;
      session = new Session(this.#settings, this.#clock, this.#random, gone => this.#forget(gone));
      this.#sessions.push(session);
    }
    this.#inUse++;
    session.streams++;
    return new Http2Slot(session, this.#settings, this.#clock, stale => this.#instead(stale));
  }

  /** A session that has served nobody, in place of one that may be dead; the same one where there is room for no other. */
  #instead(stale: Session): Session {
    if (this.#sessions.length >= this.#settings.connectionsMax) return stale;
    const session = new Session(this.#settings, this.#clock, this.#random, gone => this.#forget(gone));
    this.#sessions.push(session);
    session.streams++;
    stale.endStream(this.#retired);
    return session;
  }

  release(slot: UpstreamSlot): void {
    this.#inUse--;
    (slot as Http2Slot).endUse(this.#retired);
  }

  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  retire(): void {
    this.#retired = true;
    for (const session of [...this.#sessions]) session.closeIfIdle();
  }

  destroy(): void {
    this.#retired = true;
    for (const session of [...this.#sessions]) session.destroy();
  }

  #forget(session: Session): void {
    const at = this.#sessions.indexOf(session);
    if (at < 0) return;
    this.#sessions.splice(at, 1);
    for (const listener of this.#roomListeners) listener();
  }
}

type ReadyCallback = (failure: Failure | null, session: ClientHttp2Session | null) => void;

/** One connection: connecting, open, or closing (takes no new streams). */
class Session {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #onGone: (session: Session) => void;
  readonly #bornMs: number;
  readonly #ageMsMax: number;
  readonly #cancelConnect: () => void;
  #waiting: ReadyCallback[] = [];
  #http2: ClientHttp2Session | null = null;
  #idleTimer: Timer | null = null;
  #taken = 0;
  #closing = false;
  streams = 0;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random, onGone: (session: Session) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onGone = onGone;
    this.#bornMs = clock.nowMs();
    this.#ageMsMax =
      (settings.ageMsMax ?? Number.POSITIVE_INFINITY) * (1 + AGE_JITTER * (2 * random.unit() - 1));
    this.#cancelConnect = connect(connectTarget(settings, 'h2'), clock, (failure, socket) =>
      this.#onSocket(failure, socket),
    );
  }

  get hasRoom(): boolean {
    if (this.#closing || this.#http2?.closed === true || this.#http2?.destroyed === true) return false;
    if (this.#settings.requestsMax !== null && this.#taken >= this.#settings.requestsMax) return false;
    if (this.#clock.nowMs() - this.#bornMs >= this.#ageMsMax) return false;
    return (
      this.streams < Math.min(STREAMS_MAX, this.#http2?.remoteSettings?.maxConcurrentStreams ?? STREAMS_MAX)
    );
  }
  get isOpen(): boolean {
    return this.#http2 !== null;
  }

  /** The session when it is open; `reused` if it was open before. */
  whenReady(callback: ReadyCallback): void {
    this.#taken++;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#http2 !== null) callback(null, this.#http2);
    else if (this.#closing) callback({ kind: 'connect_refused', code: 'CLOSED' }, null);
    else this.#waiting.push(callback);
  }

  endStream(retired: boolean): void {
    this.streams--;
    if (this.streams > 0) return;
    if (retired || this.#closing || !this.hasRoom) this.closeIfIdle();
    else this.#idleTimer = this.#clock.setTimer(closeIdle, this.#settings.idleMs, this as Session);
  }

  closeIfIdle(): void {
    this.#closing = true;
    if (this.streams > 0) return;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#cancelConnect();
    this.#http2?.close();
    this.#onGone(this);
  }

  destroy(): void {
    this.#closing = true;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#cancelConnect();
    this.#http2?.destroy();
    this.#answerWaiting({ kind: 'connect_refused', code: 'CLOSED' }, null);
    this.#onGone(this);
  }

  #onSocket(failure: Failure | null, socket: Socket | null): void {
    if (
      failure === null &&
      this.#settings.tls !== null &&
      (socket as Socket & { alpnProtocol?: unknown }).alpnProtocol !== 'h2'
    ) {
      socket?.destroy();
      this.#onSocket({ kind: 'tls_failed', part: 'protocol', code: 'NO_ALPN_H2' }, null);
      return;
    }
    if (failure !== null || socket === null) {
      this.#closing = true;
      this.#onGone(this);
      this.#answerWaiting(failure, null);
      return;
    }
    const session = http2.connect('http://backend', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      maxOutstandingPings: 10,
    });
    session.on('error', () => {}); // each stream hears of it
    session.on('close', () => {
      this.#closing = true;
      this.#onGone(this);
    });
    session.on('goaway', () => {
      this.#closing = true;
    });
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#http2 = session;
    this.#answerWaiting(null, session);
  }

  #answerWaiting(failure: Failure | null, session: ClientHttp2Session | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure, session);
  }
}

function closeIdle(session: Session): void {
  session.closeIfIdle();
}

function connectTarget(settings: UpstreamSettings, protocol: 'h2' | 'http/1.1'): ConnectTarget {
  return {
    address: settings.address,
    tls: settings.tls,
    protocols: [protocol],
    connectMs: settings.connectMs,
  };
}

class Http2Slot implements UpstreamSlot {
  readonly #instead: (stale: Session) => Session;
  #session: Session;
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  #stream: ClientHttp2Stream | null = null;
  #socket: Socket | null = null;
  #cancelConnect: (() => void) | null = null;
  #over = false;

  constructor(
    session: Session,
    settings: UpstreamSettings,
    clock: Clock,
    instead: (stale: Session) => Session,
  ) {
    this.#instead = instead;
    this.#session = session;
    this.#settings = settings;
    this.#clock = clock;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    const startedMs = this.#clock.nowMs();
    if (request.fresh === true && this.#session.isOpen) this.#session = this.#instead(this.#session);
    const reused = this.#session.isOpen;
    this.#session.whenReady((failure, session) => {
      if (this.#over) return;
      if (failure !== null || session === null) {
        this.#over = true;
        handler.onError(failure ?? { kind: 'connect_refused', code: 'CLOSED' });
        return;
      }
      handler.onConnected(reused, reused ? 0 : this.#clock.nowMs() - startedMs);
      if (!this.#over) this.#open(session, request, handler);
    });
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#over = true;
    this.#stream?.close(http2.constants.NGHTTP2_CANCEL);
    this.#cancelConnect?.();
    this.#socket?.destroy();
  }

  openSocket(callback: SocketCallback): void {
    this.#cancelConnect = connect(
      connectTarget(this.#settings, 'http/1.1'),
      this.#clock,
      (failure, socket) => {
        this.#cancelConnect = null;
        this.#socket = socket;
        callback(failure, socket);
      },
    );
  }

  endUse(retired: boolean): void {
    this.#cancelConnect?.();
    this.#socket?.destroy();
    this.#session.endStream(retired);
  }

  #open(session: ClientHttp2Session, request: UpstreamRequest, handler: UpstreamHandler): void {
    const fields = [
      ':method',
      request.method,
      ':scheme',
      this.#settings.tls === null ? 'http' : 'https',
      ':authority',
      request.authority,
      ':path',
      request.target,
    ];
    for (let at = 0; at + 1 < request.headers.length; at += 2) {
      fields.push((request.headers[at] as string).toLowerCase(), request.headers[at + 1] as string);
    }
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(fields as unknown as http2.OutgoingHttpHeaders, {
        endStream: request.body === null,
      });
    } catch (error) {
      this.#over = true;
      handler.onError({
        kind: 'reset_before_head',
        code: error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN',
      });
      return;
    }
    this.#stream = stream;
    this.#listen(session, stream, handler);
    if (request.body instanceof Readable) sendBody(request.body, stream);
    else if (request.body !== null) stream.end(request.body);
  }

  #listen(session: ClientHttp2Session, stream: ClientHttp2Stream, handler: UpstreamHandler): void {
    let headSeen = false;
    let trailers: readonly string[] | null = null;
    stream.on('headers', (_headers, _flags, raw) => {
      if (!this.#over) handler.onInformation(Number(raw[1]), fieldsOf(raw));
    });
    stream.on('response', (headers, _flags, raw) => {
      if (this.#over) return;
      headSeen = true;
      handler.onHead(headers[':status'] ?? 502, '', fieldsOf(raw));
    });
    stream.on('trailers', (_headers, _flags, raw) => {
      trailers = fieldsOf(raw);
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#over && !handler.onData(chunk)) stream.pause();
    });
    stream.on('error', () => {}); // 'close' follows with the code
    stream.on('end', () => {
      // A reset also ends the readable side: only a stream that the peer closed in good order is whole.
      if (this.#over || !headSeen || stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) return;
      this.#over = true;
      handler.onEnd(trailers);
      if (!stream.writableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR); // an early answer to an upload
    });
    stream.on('close', () => {
      if (this.#over) return;
      this.#over = true;
      const code = `H2_${stream.rstCode}`;
      if (headSeen) handler.onError({ kind: 'reset_in_body', code });
      else handler.onError({ kind: 'reset_before_head', code, ...whatIsKnown(session, stream.rstCode) });
    });
  }
}

/** RFC 9113 section 8.7: a refused stream was not processed. A session that is closing takes all its streams with it. */
function whatIsKnown(session: ClientHttp2Session, code: number | undefined) {
  const unsent = code === http2.constants.NGHTTP2_REFUSED_STREAM ? { unsent: true as const } : {};
  return session.closed || session.destroyed ? unsent : { ...unsent, streamOnly: true as const };
}

/** Bytes at the pace of the stream; a body that breaks off breaks the stream. */
function sendBody(body: Readable, stream: ClientHttp2Stream): void {
  body.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.write(chunk)) body.pause();
  });
  stream.on('drain', () => body.resume());
  body.on('end', () => stream.end());
  body.on('error', () => stream.close(http2.constants.NGHTTP2_CANCEL));
  stream.on('close', () => body.destroy());
}

/** Without pseudo-header fields. */
function fieldsOf(raw: readonly string[]): string[] {
  let at = 0;
  while (raw[at]?.startsWith(':') === true) at += 2;
  return raw.slice(at);
}
