/**
 * One HTTP/2 request on Node's stream API (not the compatibility layer): RFC 9113 section 8.
 * Field names are sent in lower case; the reason phrase does not exist in HTTP/2.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Clock } from '../../resilience/clock.ts';
import { Linger } from './linger.ts';
import type { ClientStream, ClientStreamObserver } from './stream.ts';

/** The connection of a stream, as far as the stream needs it. */
interface StreamOwner {
  onMalformedStream(): void;
}

/** With these nghttp2 resets a stream whose frames are malformed, after its request has begun (RFC 9113 section 5.4.2). */
const MALFORMED: ReadonlySet<number | undefined> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_STREAM_CLOSED,
]);

export class Http2ClientStream implements ClientStream {
  readonly #stream: ServerHttp2Stream;
  readonly #owner: StreamOwner;
  readonly #headOnly: boolean;
  readonly #clock: Clock;
  #observer: ClientStreamObserver | null = null;
  #trailers: readonly string[] | null = null;
  #ended = false;
  /** Aborted by this side. The reset must be sent before the stream is destroyed. */
  #isAborted = false;
  #waitsForDrain = false;
  /** The observer was told about the end. */
  #isTold = false;
  #linger: Linger | null = null;

  constructor(stream: ServerHttp2Stream, method: string, clock: Clock, owner: StreamOwner) {
    this.#stream = stream;
    this.#owner = owner;
    this.#clock = clock;
    this.#headOnly = method === 'HEAD';
  }

  get body(): Readable {
    return this.#stream;
  }
  get headSent(): boolean {
    return this.#stream.headersSent;
  }
  get isQueued(): boolean {
    return false;
  }
  get connectionBytes(): number {
    return this.#stream.session?.socket?.bytesWritten ?? 0;
  }
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }
  get unreadBytes(): number {
    return this.#stream.readableLength;
  }
  get heldBytes(): number {
    return this.#stream.writableLength + this.#stream.readableLength;
  }
  get bodyReceived(): boolean {
    return this.#stream.readableEnded || this.#stream.endAfterHeaders;
  }
  get isLast(): boolean {
    return false;
  }

  observe(observer: ClientStreamObserver): void {
    this.#observer = observer;
    const stream = this.#stream;
    stream.on('error', ignore); // 'close' reports it with the code
    // A reset without an error code ends the body like a complete one, and 'close' waits until somebody reads it.
    stream.on('aborted', () => {
      if (!this.#isAborted) stream.destroy(RESET);
    });
    stream.on('close', () => {
      const complete =
        this.#ended && (stream.writableFinished || stream.rstCode === constants.NGHTTP2_NO_ERROR);
      this.#linger?.stop();
      this.#reportClose(complete);
      if (MALFORMED.has(stream.rstCode)) this.#owner.onMalformedStream();
    });
  }

  #reportClose(complete: boolean): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#observer?.onClientClose(complete);
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.#stream.headersSent || this.#isGone) return;
    try {
      this.#stream.additionalHeaders({ ...groupValues(headers), ':status': status });
    } catch {
      // Fields that Node refuses to send. A 1xx response is optional, so it is dropped.
    }
  }

  writeHead(status: number, _statusText: string, headers: readonly string[], endOfStream: boolean): void {
    if (this.#isGone) return;
    const list = [':status', String(status)];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = (headers[at] ?? '').toLowerCase();
      if (status !== 204 || name !== 'content-length') list.push(name, headers[at + 1] ?? ''); // RFC 9110 section 8.6
    }
    // Without a body Node ends the stream with the HEADERS frame, so trailers cannot follow.
    const bodyless = endOfStream || this.#headOnly || status === 204 || status === 304;
    this.#stream.respond(
      list as unknown as Record<string, string>,
      bodyless ? { endStream: true } : { waitForTrailers: true },
    );
    if (bodyless) this.#ended = true;
    else this.#stream.once('wantTrailers', () => this.#sendTrailers());
  }

  write(chunk: Buffer): boolean {
    if (this.#ended || this.#isGone) return true;
    const flows = this.#stream.write(chunk);
    if (!flows && !this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#stream.once('drain', () => {
        this.#waitsForDrain = false;
        this.#observer?.onClientDrain();
      });
    }
    return flows;
  }

  end(trailers: readonly string[] | null): void {
    if (this.#isGone) return;
    if (this.#ended) {
      this.#endUpload(); // a response without a body has ended with its head
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
    this.#stream.end();
  }

  respond(status: number, headers: readonly string[], body: string): void {
    this.writeHead(status, '', headers, body === '');
    if (body !== '') this.write(Buffer.from(body));
    this.end(null);
  }

  /**
   * The response is complete before the upload. The rest of the upload is not wanted (RFC 9113 section 8.1), but must
   * be read.
   */
  #endUpload(): void {
    const stream = this.#stream;
    if (this.bodyReceived || this.#linger !== null || this.#isGone) return;
    let bytes = 0;
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.resume();
    this.#linger = new Linger(
      this.#clock,
      () => bytes,
      () => {
        if (!this.#isGone) stream.close(constants.NGHTTP2_NO_ERROR);
      },
    );
    if (stream.writableFinished) this.#reportClose(true);
    else stream.once('finish', () => this.#reportClose(true));
  }

  abort(): void {
    // INTERNAL_ERROR tells the client that the response is not complete (RFC 9113 section 5.4.2).
    this.#isAborted = true;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  distrustConnection(): void {}

  closeAfterResponse(): void {
    const session = this.#stream.session;
    if (session !== undefined && !session.closed) session.close(); // sends GOAWAY; streams in progress are finished
  }

  takeSocket(): never {
    throw new Error('a WebSocket over HTTP/2 (RFC 8441) is not offered, so there is no tunnel to make');
  }

  /** A closed stream may still hold bytes that nobody has read. */
  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    if (this.#isGone) return;
    try {
      stream.sendTrailers(groupValues(this.#trailers ?? [])); // without trailers, an empty DATA frame ends the stream
    } catch {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR); // fields that Node refuses to send: the response is not complete
    }
    this.#endUpload();
  }
}

const RESET = new Error('the client has reset the stream');

function ignore(): void {}

/** Flat list to one entry per lower-case name. The object has no prototype, because the names come from outside. */
function groupValues(list: readonly string[]): Record<string, string | string[]> {
  const grouped: Record<string, string | string[]> = Object.create(null);
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = (list[at] ?? '').toLowerCase();
    const before = grouped[name];
    const value = list[at + 1] ?? '';
    grouped[name] = before === undefined ? value : ([] as string[]).concat(before, value);
  }
  return grouped;
}
