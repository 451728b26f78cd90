/**
 * How many bytes of bodies and tunnels wait in the process, of all requests together, and who has to give way when they
 * are more than the limit: first copies that are kept only for another attempt, then whoever has held bytes for longest
 * without a moment in which it held none. That is the slowest reader, or the upload whose backend takes the least.
 *
 * Each holder is bounded by its own buffers already (`docs/security.md`); this is the bound on their sum.
 * (Envoy: reset_high_memory_stream of the overload manager.)
 */

/** Says how much it has with `hold` or `keep`; 0 is the end of it. */
export interface Holder {
  /** Written by the account only. */
  heldBytes: number;
  /** Lets go of everything it holds; called when it holds nothing any more as far as the account goes. */
  giveUp(): void;
}

export class BufferAccount {
  /** In the order in which they began to hold something. */
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

  /** Bytes on their way, which nobody can do without. May call `giveUp` of any holder, this one too. */
  hold(holder: Holder, bytes: number): void {
    if (holder.heldBytes !== bytes) this.#note(this.#holders, holder, bytes);
  }

  /** A copy of bytes that have gone on already. May call `giveUp` of any holder, this one too. */
  keep(copy: Holder, bytes: number): void {
    if (copy.heldBytes !== bytes) this.#note(this.#copies, copy, bytes);
  }

  #note(among: Set<Holder>, holder: Holder, bytes: number): void {
    this.#bytes += bytes - holder.heldBytes;
    holder.heldBytes = bytes;
    if (bytes === 0) among.delete(holder);
    else {
      among.add(holder); // one that is there already keeps its place
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
