/**
 * A hash table of named values, looked up by a part of a longer text without copying the part: open addressing, at
 * most half full. Only the configuration adds names, so clients can neither make it grow nor cause collisions. The
 * values are in the table itself, because with many routes each indirection is a cache miss.
 */
export interface Named {
  readonly name: string;
  /** `hashOf` of the whole name. */
  readonly hash: number;
}

const CAPACITY_MIN = 2;

export class LiteralTable<N extends Named> {
  #slots: (N | null)[] = new Array<N | null>(CAPACITY_MIN).fill(null);
  #count = 0;

  /** The value named by `text` from `from` to `to`. */
  find(text: string, from: number, to: number): N | null {
    const hash = hashOf(text, from, to);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const named = slots[slot];
      if (named === null || named === undefined) return null;
      if (named.hash === hash && isPart(named.name, text, from, to)) return named;
    }
  }

  /** The name must not be in the table yet. */
  add(named: N): void {
    this.#count++;
    if (2 * this.#count > this.#slots.length) this.#grow();
    this.#place(named);
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Array<N | null>(2 * before.length).fill(null);
    for (const named of before) if (named !== null) this.#place(named);
  }

  #place(named: N): void {
    const mask = this.#slots.length - 1;
    let slot = named.hash & mask;
    while (this.#slots[slot] !== null) slot = (slot + 1) & mask;
    this.#slots[slot] = named;
  }
}

/** FNV-1a over the code units (Fowler, Noll, Vo). The upper bits are folded into the lower ones, which choose the slot. */
export function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function isPart(name: string, text: string, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let at = 0; at < name.length; at++)
    if (name.charCodeAt(at) !== text.charCodeAt(from + at)) return false;
  return true;
}
