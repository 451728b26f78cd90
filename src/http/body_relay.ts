/**
 * The body of one request on its way to a backend: at the pace of the slower side, counted, and with a bounded
 * copy for another attempt.
 *
 *   client ── source ──> RequestBody ──┬──> AttemptBody of this attempt ──> upstream
 *                                      └──> replay copy (until it would exceed replayBytesMax)
 *
 * Each attempt reads from a private Readable, because an upstream may destroy the body it was given (an early
 * answer, a broken connection), and destroying the client's own stream would close the client's connection.
 */
import { Readable } from 'node:stream';
import type { BufferAccount, Holder } from '../resilience/buffer_account.ts';

export interface RequestBodyObserver {
  /** A piece came; `bytes` in all. False: stop, the limit is reached (the listener has dealt with it). */
  onBodyBytes(bytes: number): boolean;
  onBodyEnd(): void;
  /** The backend has begun to hold the client up, or has ended to do so. */
  onBodyHeld(): void;
}

/** A piece below this waits for others of the same turn. */
const CRUMB_BYTES_MAX = 256;

export class RequestBody implements Holder {
  heldBytes = 0;
  readonly #source: Readable;
  readonly #listener: RequestBodyObserver;
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
    listener: RequestBodyObserver,
  ) {
    this.#buffers = buffers;
    this.#source = source;
    this.#replayBytesMax = replayBytesMax;
    this.#listener = listener;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get ended(): boolean {
    return this.#ended;
  }
  /** Another attempt can be given the body from its first byte. */
  get replayable(): boolean {
    return this.#copy !== null;
  }
  /** The source is held back because the backend does not take more at the moment. */
  get waitsForBackend(): boolean {
    return this.#reader !== null && !this.#reader.wantsMore;
  }

  /** The body for one attempt: what is kept of it first, then the rest as it comes. */
  open(): Readable {
    const reader = new AttemptBody(this);
    this.#reader = reader;
    for (const chunk of this.#copy ?? []) reader.push(chunk);
    if (this.#ended) reader.push(null);
    return reader;
  }

  /** The attempt is over: whatever is still to come waits for the next one. */
  close(): void {
    this.#reader = null;
    if (this.#started && !this.#ended) this.#source.pause();
  }

  /** No attempt follows. The copy goes now: a kept connection remembers its last request until the next one. */
  release(): void {
    this.close();
    this.#crumbs = [];
    this.giveUp();
  }

  /** The copy goes: no other attempt can be made. */
  giveUp(): void {
    this.#copy = null;
    this.#buffers.keep(this, 0);
  }

  /** What the backend does not take, beside what the client's side has; 0 as long as it takes everything. */
  get unsentBytes(): number {
    return this.#reader !== null && this.#source.isPaused() ? this.#reader.readableLength : 0;
  }

  /** The reader wants bytes. */
  pull(reader: AttemptBody): void {
    if (reader !== this.#reader || this.#ended) return;
    if (this.#started) {
      const wasHeld = this.#source.isPaused();
      this.#source.resume();
      if (wasHeld) this.#listener.onBodyHeld();
      return;
    }
    this.#started = true;
    // An HTTP/2 body can be over before anybody asks for it: its 'end' has been said then, and is not said again.
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

  /** Small pieces that come in one turn go on as one: each would cost a write to the backend. */
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
    if (!this.#listener.onBodyBytes(this.#bytes)) {
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
    this.#listener.onBodyHeld();
  }

  #end(): void {
    this.#ended = true;
    this.#reader?.push(null);
    this.#listener.onBodyEnd();
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
