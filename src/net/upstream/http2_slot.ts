/** One request on one stream of an HTTP/2 connection (RFC 9113 section 8); or, in its place, a bare connection for a tunnel. */
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Clock } from '../../resilience/clock.ts';
import { formatAddress } from '../address.ts';
import { connect } from '../connect.ts';
import type {
  SocketCallback,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamSettings,
  UpstreamSlot,
} from '../upstream.ts';
import { connectTarget, SENT_HEAD_BYTES_MAX, type Session } from './http2_session.ts';

/** Limit for one name or value: most servers refuse more and end the whole connection (nghttp2, NGHTTP2_HD_MAX_NV). */
const FIELD_BYTES_MAX = 65_536;

export class Http2Slot implements UpstreamSlot {
  readonly #replacementFor: (stale: Session) => Session;
  readonly #onCapacity: () => void;
  #session: Session;
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  #stream: ClientHttp2Stream | null = null;
  #socket: Socket | null = null;
  #cancelConnect: (() => void) | null = null;
  #bytesReadBefore = 0;
  #over = false;

  constructor(
    session: Session,
    settings: UpstreamSettings,
    clock: Clock,
    replacementFor: (stale: Session) => Session,
    onCapacity: () => void,
  ) {
    this.#replacementFor = replacementFor;
    this.#onCapacity = onCapacity;
    this.#session = session;
    this.#settings = settings;
    this.#clock = clock;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    const startedAtMs = this.#clock.nowMs();
    if (request.fresh === true && this.#session.isOpen) this.#session = this.#replacementFor(this.#session);
    const reused = this.#session.isOpen;
    this.#session.whenReady((failure, session) => {
      if (this.#over) return;
      if (failure !== null || session === null) {
        this.#over = true;
        handler.onError(failure ?? { kind: 'connect_refused', code: 'CLOSED' });
        return;
      }
      handler.onConnected(reused, reused ? 0 : this.#clock.nowMs() - startedAtMs);
      if (!this.#over) this.#open(session, request, handler);
    });
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#over = true;
    if (this.#stream !== null && this.#session.bytesRead === this.#bytesReadBefore)
      this.#session.checkLiveness();
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
    const session = this.#session;
    const stream = this.#stream;
    // The stream counts against the peer's limit until both sides have ended it (RFC 9113 section 5.1.2).
    if (stream === null || stream.destroyed) session.endStream(retired);
    else {
      stream.once('close', () => {
        session.endStream(retired);
        this.#onCapacity();
      });
    }
  }

  #open(session: ClientHttp2Session, request: UpstreamRequest, handler: UpstreamHandler): void {
    if (request.headers.some(text => text.length > FIELD_BYTES_MAX)) {
      this.#over = true;
      handler.onError({ kind: 'head_too_large', limit: FIELD_BYTES_MAX, unit: 'bytes' });
      return;
    }
    const fields = [
      ':method',
      request.method,
      ':scheme',
      this.#settings.tls === null ? 'http' : 'https',
      ':authority',
      request.authority === '' ? defaultAuthority(this.#settings) : request.authority,
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
    this.#bytesReadBefore = this.#session.bytesRead;
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
    stream.on('response', (headers, flags, raw) => {
      if (this.#over) return;
      headSeen = true;
      const endOfStream = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      handler.onHead(headers[':status'] ?? 502, '', fieldsOf(raw), endOfStream);
    });
    // The head exceeds what the backend or HTTP/2 itself allows: that is a fault of the request.
    stream.on('frameError', () => {
      if (this.#over) return;
      this.#over = true;
      handler.onError({ kind: 'head_too_large', limit: SENT_HEAD_BYTES_MAX, unit: 'bytes' });
    });
    stream.on('trailers', (_headers, _flags, raw) => {
      trailers = fieldsOf(raw);
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#over && !handler.onData(chunk)) stream.pause();
    });
    stream.on('error', () => {}); // 'close' follows with the code
    const isWhole = watchEnd(stream);
    stream.on('end', () => {
      if (this.#over || !headSeen || !isWhole()) return;
      this.#over = true;
      handler.onEnd(trailers);
      if (!stream.writableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR); // an early response to an upload
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

/**
 * Whether the peer has ended the stream. A reset, also one without an error code, ends the readable side just like an
 * end does; but only a real end comes while the stream is still open.
 */
function watchEnd(stream: ClientHttp2Stream): () => boolean {
  const push = stream.push.bind(stream);
  let isWhole = false;
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) isWhole ||= !stream.closed;
    return push(chunk, encoding);
  };
  return () => isWhole;
}

/** RFC 9113 section 8.7: a refused stream was not processed. A session that is closing takes all its streams with it. */
function whatIsKnown(session: ClientHttp2Session, code: number | undefined) {
  const isRefused = code === http2.constants.NGHTTP2_REFUSED_STREAM;
  const unsent = isRefused ? { unsent: true as const, refused: true as const } : {};
  return session.closed || session.destroyed ? unsent : { ...unsent, streamOnly: true as const };
}

/** Sends the body at the pace of the stream; a body that breaks off resets the stream. */
function sendBody(body: Readable, stream: ClientHttp2Stream): void {
  body.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.write(chunk)) body.pause();
  });
  stream.on('drain', () => body.resume());
  body.on('end', () => stream.end());
  body.on('error', () => stream.close(http2.constants.NGHTTP2_CANCEL));
  stream.on('close', () => body.destroy());
}

/** The endpoint's own authority, for a request without a host (HTTP/1.0). */
function defaultAuthority({ address }: UpstreamSettings): string {
  return address.kind === 'tcp' ? formatAddress(address) : 'localhost';
}

/** The fields without pseudo-header fields. */
function fieldsOf(raw: readonly string[]): string[] {
  let at = 0;
  while (raw[at]?.startsWith(':') === true) at += 2;
  return raw.slice(at);
}
