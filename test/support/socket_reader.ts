/**
 * Reads a socket by wish: nothing is taken from it unless somebody asks, so that a reader who does not ask is a
 * slow peer, with all that follows for the sender. Ends are values: a test decides what they mean.
 */
import type { Socket } from 'node:net';

/** How a connection ended, as seen from here. */
export type Ending = 'end' | 'reset';

export class SocketReader {
  readonly socket: Socket;
  /** `end`: the peer has closed its side cleanly. `reset`: anything else. */
  readonly ended: Promise<Ending>;
  #bytes: Buffer = Buffer.alloc(0);
  #ending: Ending | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.ended = new Promise(resolve => {
      const over = (ending: Ending) => {
        this.#ending ??= ending;
        resolve(this.#ending);
        this.#wake();
      };
      socket.on('end', () => over('end'));
      socket.on('error', () => over('reset'));
      socket.on('close', () => over('reset')); // without `end` before
    });
    socket.on('readable', () => this.#wake());
  }

  /** Bytes that came and nobody asked for yet. */
  get buffered(): Buffer {
    return this.#bytes;
  }

  /** The next bytes, at most `bytesMax`; null at the end. */
  async some(bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    if (this.#bytes.length === 0 && !(await this.#fill())) return null;
    return this.#take(Math.min(bytesMax, this.#bytes.length));
  }

  /** So many bytes, or fewer when the end comes first. */
  async exactly(count: number): Promise<Buffer> {
    while (this.#bytes.length < count && (await this.#fill()));
    return this.#take(Math.min(count, this.#bytes.length));
  }

  /** Everything up to the mark, without it; null when the end comes first: what came stays in `buffered`. */
  async until(mark: string): Promise<Buffer | null> {
    for (;;) {
      const at = this.#bytes.indexOf(mark);
      if (at !== -1) {
        const before = this.#take(at);
        this.#take(mark.length);
        return before;
      }
      if (!(await this.#fill())) return null;
    }
  }

  /** Everything up to the end. */
  async rest(): Promise<Buffer> {
    while (await this.#fill());
    return this.#take(this.#bytes.length);
  }

  #take(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Waits for more; false at the end. */
  async #fill(): Promise<boolean> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
        return true;
      }
      if (this.#ending !== null) return false;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }
}
