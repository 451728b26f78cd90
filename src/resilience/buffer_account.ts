/**
 * Counts the bytes of bodies and tunnels that wait in memory, over all requests, and frees some when they exceed the limit:
 * first copies that are kept only for another attempt, then the bytes of the holder that has held some for longest without
 * a pause. That is the slowest reader, or the upload whose backend takes the least.
 *
 * The buffers of each holder have limits of their own (`docs/security.md`); this is the limit for their sum.
 * (Envoy: reset_high_memory_stream of the overload manager.)
 */

/** Reports how many bytes it has with `hold` or `keep`, finally 0. */
export interface Holder {
  /** Written only by the account. */
  heldBytes: number;
  /** Frees everything that it holds; the account has already set `heldBytes` to 0. */
  giveUp(): void;
}

export class BufferAccount {
  /** Both in the order in which their members began to hold something. */
  readonly #copies = new Set<Holder>();
  readonly #holders = new Set<Holder>();
  /** Null: no limit. */
  #limitBytes: number | null;
  #bytes = 0;

  constructor(limitBytes: number | null) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  setLimit(limitBytes: number | null): void {
    this.#limitBytes = limitBytes;
    this.#makeRoom();
  }

  /** For bytes in transit, which the request needs. May call `giveUp` of any holder, including this one. */
  hold(holder: Holder, bytes: number): void {
    if (holder.heldBytes !== bytes) this.#note(this.#holders, holder, bytes);
  }

  /** For a copy of bytes that were already sent on. May call `giveUp` of any holder, including this one. */
  keep(copy: Holder, bytes: number): void {
    if (copy.heldBytes !== bytes) this.#note(this.#copies, copy, bytes);
  }

  #note(among: Set<Holder>, holder: Holder, bytes: number): void {
    this.#bytes += bytes - holder.heldBytes;
    holder.heldBytes = bytes;
    if (bytes === 0) among.delete(holder);
    else {
      among.add(holder); // a member keeps its place
      this.#makeRoom();
    }
  }

  #makeRoom(): void {
    while (this.#limitBytes !== null && this.#bytes > this.#limitBytes) {
      const among = this.#copies.size > 0 ? this.#copies : this.#holders;
      const [oldest] = among;
      if (oldest === undefined) return;
      this.#note(among, oldest, 0);
      oldest.giveUp();
    }
  }
}
