/**
 * Finds the boundaries of WebSocket frames (RFC 6455 section 5.2), so that a frame of our own can be put between two
 * frames of a backend. Payloads are skipped.
 */

/** Close with 1001, going away (RFC 6455 section 7.4.1), as a server sends it: not masked. */
export const GOING_AWAY = Buffer.from([0x88, 0x02, 1_001 >> 8, 1_001 & 0xff]);

const HEAD_BYTES_MAX = 14;

export class FrameBoundary {
  readonly #head = Buffer.alloc(HEAD_BYTES_MAX);
  #headBytes = 0;
  /** Bytes of the current payload still to come. */
  #leftBytes = 0;

  /** The bytes so far end with a complete frame. */
  get isHere(): boolean {
    return this.#headBytes === 0 && this.#leftBytes === 0;
  }

  /** Takes the next bytes and returns how many it has taken. With `stop` it takes none beyond the first boundary. */
  take(chunk: Buffer, stop = false): number {
    let at = 0;
    while (at < chunk.length) {
      if (stop && this.isHere) return at;
      if (this.#leftBytes > 0) {
        const skipped = Math.min(this.#leftBytes, chunk.length - at);
        this.#leftBytes -= skipped;
        at += skipped;
      } else at = this.#readHead(chunk, at);
    }
    return at;
  }

  #readHead(chunk: Buffer, from: number): number {
    this.#head[this.#headBytes++] = chunk[from] ?? 0;
    if (this.#headBytes < 2) return from + 1;
    const second = this.#head[1] ?? 0;
    const length = second & 0x7f;
    const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
    const mask = second & 0x80 ? 4 : 0;
    if (this.#headBytes < 2 + extended + mask) return from + 1;
    if (extended === 2) this.#leftBytes = this.#head.readUInt16BE(2);
    else if (extended === 8) this.#leftBytes = Number(this.#head.readBigUInt64BE(2));
    else this.#leftBytes = length;
    this.#headBytes = 0;
    return from + 1;
  }
}
