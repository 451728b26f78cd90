/**
 * Streams the body of one request to a backend at the pace of the slower side, counts it, and keeps a bounded copy for
 * another attempt.
 *
 *   client ── source ──> RequestBody ──┬──> AttemptBody of this attempt ──> upstream
 *                                      └──> replay copy (until it would exceed replayBytesMax)
 *
 * Each attempt reads from a private Readable, because an upstream may destroy the body it was given (an early response, a
 * broken connection), and destroying the client's own stream would close the client's connection.
 */
import { Readable } from 'node:stream';

export interface RequestBodyObserver {
  /**
   * A chunk arrived; `bytes` is the total so far. Returns false to stop: the limit is reached and the observer has
   * handled it.
   */
  onBodyBytes(bytes: number): boolean;
  onBodyEnd(): void;
}

export class RequestBody {
  readonly #source: Readable;
  readonly #observer: RequestBodyObserver;
  readonly #replayBytesMax: number;
  #copy: Buffer[] | null = [];
  #bytes = 0;
  #started = false;
  #ended = false;
  #reader: AttemptBody | null = null;

  constructor(source: Readable, replayBytesMax: number, observer: RequestBodyObserver) {
    this.#source = source;
    this.#replayBytesMax = replayBytesMax;
    this.#observer = observer;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get ended(): boolean {
    return this.#ended;
  }
  /** Whether another attempt can be given the body from its first byte. */
  get replayable(): boolean {
    return this.#copy !== null;
  }
  /** The source is paused because the backend does not take more at the moment. */
  get waitsForBackend(): boolean {
    return this.#reader !== null && !this.#reader.wantsMore;
  }

  /** The body for one attempt: the bytes kept so far, then the rest as it arrives. */
  open(): Readable {
    const reader = new AttemptBody(this);
    this.#reader = reader;
    for (const chunk of this.#copy ?? []) reader.push(chunk);
    if (this.#ended) reader.push(null);
    return reader;
  }

  /** Ends the attempt's use of the body; the rest waits for the next attempt. */
  close(): void {
    this.#reader = null;
    if (this.#started && !this.#ended) this.#source.pause();
  }

  /** No attempt follows. Frees the copy now, because a keep-alive connection holds on to its last request. */
  release(): void {
    this.close();
    this.#copy = null;
  }

  /** The reader of the current attempt wants bytes. */
  pull(reader: AttemptBody): void {
    if (reader !== this.#reader || this.#ended) return;
    if (this.#started) {
      this.#source.resume();
      return;
    }
    this.#started = true;
    // An HTTP/2 body can be over before it is read. Its 'end' event has been emitted then and does not come again.
    if (this.#source.readableEnded) {
      this.#end();
      return;
    }
    this.#source.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#source.on('end', () => this.#end());
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (!this.#observer.onBodyBytes(this.#bytes)) {
      this.#source.pause();
      return;
    }
    if (this.#copy !== null) {
      if (this.#bytes <= this.#replayBytesMax) this.#copy.push(chunk);
      else this.#copy = null;
    }
    if (this.#reader === null || !this.#reader.push(chunk)) this.#source.pause();
  }

  #end(): void {
    this.#ended = true;
    this.#reader?.push(null);
    this.#observer.onBodyEnd();
  }
}

class AttemptBody extends Readable {
  readonly #body: RequestBody;
  constructor(body: RequestBody) {
    super();
    this.#body = body;
  }
  get wantsMore(): boolean {
    return this.readableLength < this.readableHighWaterMark;
  }
  override _read(): void {
    this.#body.pull(this);
  }
}
