/**
 * One HTTP/1.x request on Node's `http` server. Framing is Node's: it chunks an answer without a length, keeps
 * the body of HEAD, 204 and 304 answers empty, and closes the connection where HTTP/1.0 demands it.
 */
import assert from 'node:assert/strict';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { Clock } from '../../resilience/clock.ts';
import { Linger } from './linger.ts';
import type { ClientStream, ClientStreamObserver } from './stream.ts';

/** A body up to this size is copied once more to save a system call; beyond it the copy costs more. */
const JOINED_BYTES_MAX = 16 * 1024;

export class Http1ClientStream implements ClientStream {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #listener: ClientStreamObserver | null = null;
  #headFlushed = true;
  #waitsForDrain = false;
  #isCutting = false;
  /** The first piece of the body, as long as the head has not left. */
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

  listen(listener: ClientStreamObserver): void {
    this.#listener = listener;
    const response = this.#response;
    // 'close' comes after 'finish' as well as after a lost connection: one event for both ends.
    response.on('close', () => listener.onClientClose(response.writableFinished));
    // A client that leaves during its upload is also an error on the request; 'close' tells it.
    this.#request.on('error', ignore);
    response.on('error', ignore);
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.#request.httpVersionMinor === 0 || this.#response.headersSent) return;
    if (status === 100) this.#response.writeContinue();
    else this.#response.writeInformation(status, headers);
  }

  writeHead(status: number, statusText: string, headers: readonly string[], _endOfStream: boolean): void {
    if (!this.bodyReceived) this.closeAfterAnswer(); // what is left of the upload would be in the way of a next request
    const list = this.#canChunk(status, headers) ? headers : withoutTrailerField(headers);
    this.#response.writeHead(status, sendable(statusText), list as string[]);
    this.#headFlushed = false;
    // Head and body of a small answer arrive in one turn and leave in one packet; a head whose body is still
    // to come must not wait for it (server-sent events).
    process.nextTick(flushHead, this);
  }

  write(chunk: Buffer): boolean {
    if (!this.#headFlushed && this.#first === null && chunk.length <= JOINED_BYTES_MAX) {
      this.#first = chunk; // head and this leave together: with what the same turn brings, or at its end
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
        this.#listener?.onClientDrain();
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
    // As one text head and body are one write to the system; as two buffers they would be a vector.
    if (first === null) this.#response.end();
    else this.#response.end(first.toString('latin1'), 'latin1');
  }

  answer(status: number, headers: readonly string[], body: string): void {
    if (this.#response.destroyed) return;
    this.#lingerIfUploading();
    // Node remembers the text of a head that it has refused.
    this.#response.writeHead(status, STATUS_CODES[status] ?? '', headers as string[]);
    this.#response.end(body);
  }

  abort(): void {
    if (this.isQueued) {
      // Node would send what it has of it, and wait for the rest: the connection ends when it is its turn.
      if (!this.#isCutting) this.#response.once('socket', socket => socket.destroy());
      this.#isCutting = true;
    } else this.#response.destroy();
  }

  destroy(): void {
    this.abort();
  }

  distrustConnection(): void {
    this.closeAfterAnswer();
  }

  closeAfterAnswer(): void {
    this.#response.shouldKeepAlive = false;
  }

  takeSocket(): Duplex {
    const { socket } = this.#response;
    assert(socket !== null, 'a tunnel is made while the client is connected');
    this.#response.removeAllListeners('close');
    this.#response.detachSocket(socket);
    socket.removeAllListeners('readable'); // the tunnel reads from here on
    return socket;
  }

  flushHead(): void {
    if (this.#headFlushed || this.#response.destroyed) return;
    if (this.#first !== null) {
      this.#sendFirst();
      return;
    }
    this.#headFlushed = true;
    this.#response.write(NOTHING); // `flushHeaders` would write Latin-1 as UTF-8
  }

  /** Trailers follow chunks only: Node refuses to announce them for an answer that is framed otherwise. */
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
    this.closeAfterAnswer();
    this.#request.removeAllListeners('data');
    this.#request.resume();
    // Node closes the connection by `destroySoon` once the answer is written.
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

/** RFC 9112 section 4: a reason phrase says nothing that matters; one that Node would refuse is left out. */
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

/** Node calls a request complete only after its handler has returned, even if there is no body to wait for. */
function declaresBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || (request.headers['content-length'] ?? '0') !== '0'
  );
}

function ignore(): void {}

/** Flat list to pairs, as `addTrailers` wants them. */
function pairs(list: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) result.push([list[at] ?? '', list[at + 1] ?? '']);
  return result;
}
