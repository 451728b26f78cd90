/**
 * One HTTP/1.x request on Node's `http` server. Node does the framing: it chunks a response without a length, keeps
 * the body of HEAD, 204 and 304 responses empty, and closes the connection where HTTP/1.0 requires it.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { http } from '../../net/node_http.ts';
import type { Clock } from '../../resilience/clock.ts';
import { Linger } from './linger.ts';
import type { ClientStream, ClientStreamObserver } from './stream.ts';

/** A body up to this size is copied once more to save a system call. Above it the copy costs more than the call. */
const JOINED_BYTES_MAX = 16 * 1024;

export class Http1ClientStream implements ClientStream {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #observer: ClientStreamObserver | null = null;
  #headFlushed = true;
  #waitsForDrain = false;
  #isCutting = false;
  /** The first chunk of the body, until the head is sent. */
  #first: Buffer | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, clock: Clock) {
    this.#request = request;
    this.#response = response;
    this.#clock = clock;
  }

  get body(): Readable {
    return this.#request;
  }
  get headSent(): boolean {
    return this.#response.headersSent;
  }
  get isQueued(): boolean {
    return this.#response.socket === null && !this.#response.destroyed && !this.#response.writableFinished;
  }
  get connectionBytes(): number {
    return 0;
  }
  get unsentBytes(): number {
    return this.#response.writableLength;
  }
  get unreadBytes(): number {
    return this.#request.readableLength;
  }
  get heldBytes(): number {
    return this.#response.writableLength + this.#request.readableLength;
  }
  get bodyReceived(): boolean {
    return this.#request.complete || !declaresBody(this.#request);
  }
  get isLast(): boolean {
    return !this.#response.shouldKeepAlive;
  }

  observe(observer: ClientStreamObserver): void {
    this.#observer = observer;
    const response = this.#response;
    // 'close' comes after 'finish' and after a lost connection alike: one event for both ends.
    response.on('close', () => observer.onClientClose(response.writableFinished));
    // A client that leaves during its upload also causes an error on the request. 'close' reports it.
    this.#request.on('error', ignore);
    response.on('error', ignore);
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.#request.httpVersionMinor === 0 || this.#response.headersSent) return;
    if (status === 100) this.#response.writeContinue();
    else this.#response.writeInformation(status, headers);
  }

  writeHead(status: number, statusText: string, headers: readonly string[], _endOfStream: boolean): void {
    if (!this.bodyReceived) this.closeAfterResponse(); // the rest of the upload would be in the way of the next request
    const list = this.#canChunk(status, headers) ? headers : withoutTrailerField(headers);
    this.#response.writeHead(status, sendable(statusText), list as string[]);
    this.#headFlushed = false;
    // Head and body of a small response arrive in one turn and leave in one packet. A head whose body is still to
    // come must not wait for it (server-sent events).
    process.nextTick(flushHead, this);
  }

  write(chunk: Buffer): boolean {
    if (!this.#headFlushed && this.#first === null && chunk.length <= JOINED_BYTES_MAX) {
      this.#first = chunk; // leaves together with the head, at the latest at the end of this turn
      return true;
    }
    this.#sendFirst();
    return this.#writeNow(chunk);
  }

  #sendFirst(): void {
    this.#headFlushed = true;
    const first = this.#first;
    this.#first = null;
    if (first !== null) this.#writeNow(first);
  }

  #writeNow(chunk: Buffer): boolean {
    const flows = this.#response.write(chunk);
    if (!flows && !this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#response.once('drain', () => {
        this.#waitsForDrain = false;
        this.#observer?.onClientDrain();
      });
    }
    return flows;
  }

  end(trailers: readonly string[] | null): void {
    const first = this.#first;
    this.#first = null;
    this.#headFlushed = true;
    if (trailers !== null && trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    this.#lingerIfUploading();
    // One string with head and body is one write; two buffers would become a vectored write.
    if (first === null) this.#response.end();
    else this.#response.end(first.toString('latin1'), 'latin1');
  }

  respond(status: number, headers: readonly string[], body: string): void {
    if (this.#response.destroyed) return;
    this.#lingerIfUploading();
    // Node keeps the text of a head that it has refused.
    this.#response.writeHead(status, http.STATUS_CODES[status] ?? '', headers as string[]);
    this.#response.end(body);
  }

  abort(): void {
    if (this.isQueued) {
      // Node would send what it has and wait for the rest. The connection ends when it is its turn.
      if (!this.#isCutting) this.#response.once('socket', socket => socket.destroy());
      this.#isCutting = true;
    } else this.#response.destroy();
  }

  destroy(): void {
    this.abort();
  }

  distrustConnection(): void {
    this.closeAfterResponse();
  }

  closeAfterResponse(): void {
    this.#response.shouldKeepAlive = false;
  }

  takeSocket(): Duplex {
    const { socket } = this.#response;
    assert(socket !== null, 'a tunnel is made while the client is connected');
    this.#response.removeAllListeners('close');
    this.#response.detachSocket(socket);
    socket.removeAllListeners('readable'); // from here on the tunnel reads
    return socket;
  }

  flushHead(): void {
    if (this.#headFlushed || this.#response.destroyed) return;
    if (this.#first !== null) {
      this.#sendFirst();
      return;
    }
    this.#headFlushed = true;
    this.#response.write(NOTHING); // `flushHeaders` would encode Latin-1 as UTF-8
  }

  /** Trailers are only possible after chunks: Node refuses to announce them for a response that is framed otherwise. */
  #canChunk(status: number, headers: readonly string[]): boolean {
    const isBodyless = status === 204 || status === 304 || this.#request.method === 'HEAD';
    if (this.#request.httpVersionMinor === 0 || isBodyless) return false;
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] as string;
      if (name.length === CONTENT_LENGTH.length && name.toLowerCase() === CONTENT_LENGTH) return false;
    }
    return true;
  }

  #lingerIfUploading(): void {
    if (this.bodyReceived) return;
    const { socket } = this.#request;
    this.closeAfterResponse();
    this.#request.removeAllListeners('data');
    this.#request.resume();
    // Node calls `destroySoon` on the connection once the response is written.
    socket.destroySoon = () => {
      socket.end();
      const linger = new Linger(
        this.#clock,
        () => socket.bytesRead,
        () => socket.destroy(),
      );
      socket.once('close', () => linger.stop());
    };
  }
}

/** RFC 9112 section 4: a reason phrase has no meaning. One that Node would refuse is left out. */
function sendable(statusText: string): string {
  return UNSENDABLE.test(statusText) ? '' : statusText;
}

const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;
const NOTHING = Buffer.alloc(0);
const CONTENT_LENGTH = 'content-length';

function withoutTrailerField(headers: readonly string[]): readonly string[] {
  const at = headers.findIndex(
    (name, index) => index % 2 === 0 && name.length === 7 && name.toLowerCase() === 'trailer',
  );
  return at < 0 ? headers : withoutTrailerField(headers.toSpliced(at, 2));
}

function flushHead(client: Http1ClientStream): void {
  client.flushHead();
}

/** Node marks a request as complete only after its handler has returned, even without a body. */
function declaresBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || (request.headers['content-length'] ?? '0') !== '0'
  );
}

function ignore(): void {}

/** Flat list to pairs, as `addTrailers` expects them. */
function pairs(list: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) result.push([list[at] ?? '', list[at + 1] ?? '']);
  return result;
}
