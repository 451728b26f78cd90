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
import type { BufferAccount, Holder } from '../resilience/buffer_account.ts';

export interface RequestBodyObserver {
  /**
   * A chunk arrived; `bytes` is the total so far. Returns false to stop: the limit is reached and the observer has
   * handled it.
   */
  onBodyBytes(bytes: number): boolean;
  onBodyEnd(): void;
  /** The backend has stopped taking the body, or takes it again. */
  onBodyHeld(): void;
}

/** Smaller chunks wait for others of the same turn. */
const CRUMB_BYTES_MAX = 256;

export class RequestBody implements Holder {
  heldBytes = 0;
  readonly #source: Readable;
  readonly #observer: RequestBodyObserver;
  readonly #replayBytesMax: number;
  readonly #buffers: BufferAccount;
  #copy: Buffer[] | null = [];
  #crumbs: Buffer[] = [];
  #bytes = 0;
  #started = false;
  #ended = false;
  #reader: AttemptBody | null = null;

  constructor(
    source: Readable,
    replayBytesMax: number,
    buffers: BufferAccount,
    observer: RequestBodyObserver,
  ) {
    this.#buffers = buffers;
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
    this.#crumbs = [];
    this.giveUp();
  }

  /** Drops the copy, so that no other attempt is possible. */
  giveUp(): void {
    this.#copy = null;
    this.#buffers.keep(this, 0);
  }

  /** Bytes that wait for the backend, except those of the client's side; 0 while the backend takes everything. */
  get unsentBytes(): number {
    return this.#reader !== null && this.#source.isPaused() ? this.#reader.readableLength : 0;
  }

  /** The reader of the current attempt wants bytes. */
  pull(reader: AttemptBody): void {
    if (reader !== this.#reader || this.#ended) return;
    if (this.#started) {
      const wasHeld = this.#source.isPaused();
      this.#source.resume();
      if (wasHeld) this.#observer.onBodyHeld();
      return;
    }
    this.#started = true;
    // An HTTP/2 body can be over before it is read. Its 'end' event has been emitted then and does not come again.
    if (this.#source.readableEnded) {
      this.#end();
      return;
    }
    this.#source.on('data', (chunk: Buffer) => this.#gather(chunk));
    this.#source.on('end', () => {
      this.takeCrumbs();
      this.#end();
    });
  }

  /** Joins small chunks that arrive in one turn, because each would cost a write to the backend. */
  #gather(chunk: Buffer): void {
    if (chunk.length >= CRUMB_BYTES_MAX) {
      this.takeCrumbs();
      this.#take(chunk);
      return;
    }
    if (this.#crumbs.push(chunk) === 1) process.nextTick(takeCrumbs, this);
  }

  takeCrumbs(): void {
    const crumbs = this.#crumbs;
    if (crumbs.length === 0) return;
    this.#crumbs = [];
    const [only] = crumbs;
    this.#take(crumbs.length === 1 && only !== undefined ? only : Buffer.concat(crumbs));
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (!this.#observer.onBodyBytes(this.#bytes)) {
      this.#source.pause();
      return;
    }
    if (this.#copy !== null) {
      if (this.#bytes > this.#replayBytesMax) this.giveUp();
      else {
        this.#copy.push(chunk);
        this.#buffers.keep(this, this.#bytes);
      }
    }
    if (this.#reader?.push(chunk) === true) return;
    this.#source.pause();
    this.#observer.onBodyHeld();
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

function takeCrumbs(body: RequestBody): void {
  body.takeCrumbs();
}
