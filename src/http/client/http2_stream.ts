/**
 * One HTTP/2 request on Node's stream API (not the compatibility layer): RFC 9113 section 8.
 * Field names are sent in lower case; the reason phrase does not exist in HTTP/2.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Clock } from '../../resilience/clock.ts';
import { Linger } from './linger.ts';
import type { ClientStream, ClientStreamObserver } from './stream.ts';

export class Http2ClientStream implements ClientStream {
  readonly #stream: ServerHttp2Stream;
  readonly #headOnly: boolean;
  readonly #clock: Clock;
  #listener: ClientStreamObserver | null = null;
  #trailers: readonly string[] | null = null;
  #ended = false;
  /** By this side: its reset has to get out before the stream goes. */
  #isAborted = false;
  #waitsForDrain = false;
  /** The listener has heard of the end. */
  #isTold = false;
  #linger: Linger | null = null;

  constructor(stream: ServerHttp2Stream, method: string, clock: Clock) {
    this.#stream = stream;
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

  listen(listener: ClientStreamObserver): void {
    this.#listener = listener;
    const stream = this.#stream;
    stream.on('error', ignore); // 'close' tells it with the code
    // A reset without an error code ends the body as if it were whole, and 'close' waits for somebody to read it.
    stream.on('aborted', () => {
      if (!this.#isAborted) stream.destroy(RESET);
    });
    stream.on('close', () => {
      const complete =
        this.#ended && (stream.writableFinished || stream.rstCode === constants.NGHTTP2_NO_ERROR);
      this.#linger?.stop();
      this.#tellClose(complete);
    });
  }

  #tellClose(complete: boolean): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#listener?.onClientClose(complete);
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.#stream.headersSent || this.#isGone) return;
    try {
      this.#stream.additionalHeaders({ ...groupValues(headers), ':status': status });
    } catch {
      // Fields that Node will not send; nobody depends on a 1xx answer.
    }
  }

  writeHead(status: number, _statusText: string, headers: readonly string[], endOfStream: boolean): void {
    if (this.#isGone) return;
    const list = [':status', String(status)];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = (headers[at] ?? '').toLowerCase();
      if (status !== 204 || name !== 'content-length') list.push(name, headers[at + 1] ?? ''); // RFC 9110 section 8.6
    }
    // Without a body Node ends the stream with the HEADERS frame, and there is nothing for trailers to follow.
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
        this.#listener?.onClientDrain();
      });
    }
    return flows;
  }

  end(trailers: readonly string[] | null): void {
    if (this.#isGone) return;
    if (this.#ended) {
      this.#endUpload(); // an answer without a body has ended with its head
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
    this.#stream.end();
  }

  answer(status: number, headers: readonly string[], body: string): void {
    this.writeHead(status, '', headers, body === '');
    if (body !== '') this.write(Buffer.from(body));
    this.end(null);
  }

  /** An answer that is complete before the upload is: the rest is not wanted (RFC 9113 section 8.1), and read all the same. */
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
    if (stream.writableFinished) this.#tellClose(true);
    else stream.once('finish', () => this.#tellClose(true));
  }

  abort(): void {
    // INTERNAL_ERROR tells the client that what it has is no whole answer (RFC 9113 section 5.4.2).
    this.#isAborted = true;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  distrustConnection(): void {}

  closeAfterAnswer(): void {
    const session = this.#stream.session;
    if (session !== undefined && !session.closed) session.close(); // GOAWAY; streams under way are finished
  }

  takeSocket(): never {
    throw new Error('a WebSocket over HTTP/2 (RFC 8441) is not offered, so there is no tunnel to make');
  }

  /** A stream that is closed may still hold bytes that nobody has read. */
  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    if (this.#isGone) return;
    try {
      stream.sendTrailers(groupValues(this.#trailers ?? [])); // none: an empty DATA frame ends the stream
    } catch {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR); // fields that Node will not send: the answer is not whole
    }
    this.#endUpload();
  }
}

const RESET = new Error('the client has reset the stream');

function ignore(): void {}

/** Flat list to one entry for each lower-case name, without a prototype: the names come from outside. */
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
