/**
 * What is known of a few field names, found cheaply among the many of a head: length and first letter tell most
 * names apart from those that matter, and only what passes this sieve is lower-cased and looked up.
 */
export class NameTable<T> {
  readonly #slots = new Uint8Array(64 * 32);
  readonly #values = new Map<string, T>();

  /** Names in lower case. */
  constructor(entries: Iterable<readonly [name: string, value: T]>) {
    for (const [name, value] of entries) {
      this.#slots[slotOf(name)] = 1;
      this.#values.set(name, value);
    }
  }

  /** `name` in any case. */
  find(name: string): T | undefined {
    return this.#slots[slotOf(name)] === 1 ? this.#values.get(name.toLowerCase()) : undefined;
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }
}

export function nameSet(names: readonly string[]): NameTable<true> {
  return new NameTable(names.map(name => [name, true] as const));
}

/** Letters of either case have the same lowest five bits. */
function slotOf(name: string): number {
  return ((name.length & 63) << 5) | (name.charCodeAt(0) & 31);
}
