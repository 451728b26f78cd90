/**
 * Where log lines go: a descriptor or a file, written without ever blocking a request.
 *
 *   write ──> block ──(full, or 100 ms old)──> waiting blocks ──> one write at a time, in the thread pool
 *                                                 └── more than 8 MiB wait: lines are dropped and counted
 *
 * A line is turned into bytes at once: kept as text, the pieces of which it was joined would outlive many
 * collections of the young generation, and that was measured to cost more than the line itself.
 *
 * Not pino's own destination: it measures all that is buffered with each line, which cost 12 us a request here
 * (docs/decisions/0004).
 */
import fs from 'node:fs';
import type { Clock, Timer } from '../resilience/clock.ts';

export interface LogDestination {
  /** A line with its line feed. */
  write(line: string): void;
  /** The file was moved away: go on in a new one of the same name. */
  reopen(): void;
  /** Writes what is buffered before it returns; for the end of the process. */
  flush(): void;
}

const BLOCK_BYTES = 64 * 1024;
/** Of UTF-8 for one UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;
const FLUSH_EVERY_MS = 100;
/** What is kept for a reader that is slow. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

export class BufferedDestination implements LogDestination {
  readonly #file: string | null;
  readonly #clock: Clock;
  readonly #onDrop: () => void;
  #fd: number;
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #used = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing = false;
  #timer: Timer | null = null;

  constructor(target: { readonly fd: number } | { readonly file: string }, clock: Clock, onDrop: () => void) {
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
    if (this.#file === null) return;
    this.flush();
    fs.closeSync(this.#fd);
    this.#fd = fs.openSync(this.#file, 'a');
  }

  flush(): void {
    const bytes = Buffer.concat([...this.#waiting, this.#block.subarray(0, this.#used)]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#used = 0;
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
    try {
      if (bytes.length > 0) fs.writeSync(this.#fd, bytes);
    } catch {
      this.#onDrop(); // nobody reads any more, or the pipe is full: the end is not delayed for that
    }
  }

  onTimer(): void {
    this.#timer = null;
    this.#pass();
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

  #writeNext(): void {
    const bytes = this.#waiting.shift();
    this.#writing = bytes !== undefined;
    if (bytes !== undefined) this.#writeAll(bytes, bytes.length);
  }

  /** A pipe may take less than all; one that takes nothing now is asked again. */
  #writeAll(bytes: Buffer, length: number): void {
    fs.write(this.#fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN')
        this.#clock.setTimer(() => this.#writeAll(bytes, length), FLUSH_EVERY_MS, undefined);
      else if (error === null && written < bytes.length) this.#writeAll(bytes.subarray(written), length);
      else {
        if (error !== null) this.#onDrop(); // a reader that went away must not take the proxy with it
        this.#waitingBytes = Math.max(0, this.#waitingBytes - length);
        this.#writeNext();
      }
    });
  }
}

function pass(destination: BufferedDestination): void {
  destination.onTimer();
}
