/**
 * Writes log lines to a descriptor or a file, without ever blocking a request.
 *
 *   write ──> block ──(full, or 100 ms old)──> waiting blocks ──> one write at a time, in the thread pool
 *                                                 └── more than 8 MiB wait: lines are dropped and counted
 *
 * Every line that is not written is counted, also those of a whole block that the reader did not take.
 *
 * A line is encoded at once. As a string, the pieces that it was joined from would survive many garbage collections of the
 * young generation, which was measured to cost more than the line itself.
 *
 * pino's own destination is not used: it measures everything that is buffered with each line, which cost 12 us per request
 * (docs/decisions/0004).
 */
import fs from 'node:fs';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Terminal } from './terminal.ts';

export interface LogDestination {
  /** Absent or null: lines go to a file or to a program. */
  readonly terminal?: Terminal | null;
  /** A line with its line feed. */
  write(line: string): void;
  /** The file was moved: continue in a new file with the same name. */
  reopen(): void;
  /** Writes what is buffered, in order, before the process ends. */
  flush(): Promise<void>;
}

const BLOCK_BYTES = 64 * 1024;
/** Maximum of bytes in UTF-8 for one UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;
const FLUSH_EVERY_MS = 100;
/** Bytes that are kept for a slow reader. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** How often a flush tries a full pipe again, and the pause in between: half a second without a byte. */
const FLUSH_TRIES_MAX = 50;
const FLUSH_PAUSE_MS = 10;
/** How long a flush waits for a write in the thread pool; a terminal may block it for ever. */
const WRITE_MS_MAX = 1_000;
const LINE_FEED = 0x0a;
/** Waiting on this pauses the thread: nobody ever wakes it. */
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

type LogTarget = { readonly fd: number; readonly terminal?: Terminal | null } | { readonly file: string };

export class BufferedDestination implements LogDestination {
  readonly terminal: Terminal | null;
  readonly #file: string | null;
  readonly #clock: Clock;
  readonly #onDrop: () => void;
  #fd: number;
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #used = 0;
  #waiting: Buffer[] = [];
  /** Includes what is being written. */
  #waitingBytes = 0;
  #writing = false;
  /** A flush waits for the write in progress and continues with what is left. */
  #onWritten: (() => void) | null = null;
  #reopenWanted = false;
  /** What a full pipe has not taken; tried again when the timer fires. */
  #refused: Buffer | null = null;
  #retryTimer: Timer | null = null;
  #timer: Timer | null = null;

  /** `onDrop` is called for each line that is lost. */
  constructor(target: LogTarget, clock: Clock, onDrop: () => void) {
    this.terminal = 'fd' in target ? (target.terminal ?? null) : null;
    this.#file = 'file' in target ? target.file : null;
    this.#fd = 'fd' in target ? target.fd : fs.openSync(target.file, 'a');
    this.#clock = clock;
    this.#onDrop = onDrop;
  }

  write(line: string): void {
    if (this.#waitingBytes > WAITING_BYTES_MAX) {
      this.#onDrop();
      return;
    }
    const bytesMax = line.length * BYTES_PER_UNIT_MAX;
    if (bytesMax > BLOCK_BYTES - this.#used) this.#pass();
    if (bytesMax > BLOCK_BYTES) this.#wait(Buffer.from(line));
    else this.#used += this.#block.write(line, this.#used);
    if (this.#timer === null)
      this.#timer = this.#clock.setTimer(pass, FLUSH_EVERY_MS, this as BufferedDestination);
  }

  reopen(): void {
    // The descriptor of a write in progress must not become that of another file.
    if (this.#writing && this.#refused === null) this.#reopenWanted = true;
    else this.#openAgain();
  }

  async flush(): Promise<void> {
    if (this.#writing && this.#refused === null) await this.#written();
    this.#flushNow();
  }

  async #written(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onWritten = resolve;
    const timer = this.#clock.setTimer(resolve, WRITE_MS_MAX, undefined);
    await promise;
    this.#onWritten = null;
    this.#clock.cancelTimer(timer);
  }

  #flushNow(): void {
    const { refused, rest } = this.#takeAll();
    const bytes = Buffer.concat(refused === null ? rest : [refused, ...rest]);
    this.#lost(bytes.subarray(this.#writeNow(bytes)));
  }

  onTimer(): void {
    this.#timer = null;
    this.#pass();
  }

  onRetry(): void {
    const bytes = this.#refused;
    this.#refused = null;
    this.#retryTimer = null;
    if (bytes !== null) this.#writeAll(bytes);
  }

  #pass(): void {
    if (this.#used === 0) return;
    const full = this.#block.subarray(0, this.#used);
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#used = 0;
    this.#wait(full);
  }

  #wait(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#writing) this.#writeNext();
  }

  #openAgain(): void {
    this.#reopenWanted = false;
    if (this.#file === null) return;
    this.#flushNow();
    try {
      const fd = fs.openSync(this.#file, 'a');
      fs.closeSync(this.#fd);
      this.#fd = fd;
    } catch {
      // The folder is gone or not accessible: lines in the old file are better than none.
    }
  }

  #writeNext(): void {
    if (this.#reopenWanted) this.#openAgain();
    const [first, ...more] = this.#waiting;
    this.#waiting = [];
    this.#writing = first !== undefined;
    // Writes all waiting blocks at once: one block per turn of a busy loop would be too slow for the lines of that
    // turn.
    if (first !== undefined) this.#writeAll(more.length === 0 ? first : Buffer.concat([first, ...more]));
  }

  /** A pipe may take only a part; a pipe that takes nothing is tried again later. */
  #writeAll(bytes: Buffer): void {
    fs.write(this.#fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        this.#refused = bytes;
        this.#retryTimer = this.#clock.setTimer(retry, FLUSH_EVERY_MS, this as BufferedDestination);
        this.#onWritten?.();
        return;
      }
      const taken = error === null ? written : bytes.length;
      if (error !== null) this.#lost(bytes); // a reader that went away must not end the proxy
      this.#waitingBytes = Math.max(0, this.#waitingBytes - taken);
      if (this.#onWritten !== null) this.#handOver(bytes.subarray(taken));
      else if (taken < bytes.length) this.#writeAll(bytes.subarray(taken));
      else this.#writeNext();
    });
  }

  /** The flush writes the rest. */
  #handOver(rest: Buffer): void {
    this.#writing = false;
    if (rest.length > 0) this.#waiting.unshift(rest);
    this.#onWritten?.();
  }

  #takeAll(): { readonly refused: Buffer | null; readonly rest: readonly Buffer[] } {
    const refused = this.#refused;
    const rest = [...this.#waiting, this.#block.subarray(0, this.#used)];
    this.#clock.cancelTimer(this.#timer);
    this.#clock.cancelTimer(this.#retryTimer);
    this.#timer = null;
    this.#retryTimer = null;
    if (refused !== null) this.#writing = false;
    this.#refused = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#used = 0;
    return { refused, rest };
  }

  /**
   * Waits for the write in progress and returns the number of bytes that the reader took. Limited in time, so that a
   * dead reader does not delay the end of the process.
   */
  #writeNow(bytes: Buffer): number {
    let written = 0;
    for (let tries = 0; written < bytes.length && tries < FLUSH_TRIES_MAX; ) {
      try {
        written += fs.writeSync(this.#fd, bytes, written);
        tries = 0;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        Atomics.wait(PAUSE, 0, 0, FLUSH_PAUSE_MS);
        tries++;
      }
    }
    return written;
  }

  #lost(bytes: Buffer): void {
    for (const byte of bytes) if (byte === LINE_FEED) this.#onDrop();
  }
}

function retry(destination: BufferedDestination): void {
  destination.onRetry();
}
function pass(destination: BufferedDestination): void {
  destination.onTimer();
}
