/** Header fields as flat lists, and a fast lookup of a few names without lower-casing every name of a head. */

/** Fields as received: name, value, name, value, … with order, case and duplicates. */
export type HeaderList = readonly string[];

/**
 * A table of a few field names. Length and first letter exclude most other names; only a name that passes this filter
 * is lower-cased and looked up.
 */
export class NameTable<T> {
  readonly #slots = new Uint8Array(64 * 32);
  readonly #values = new Map<string, T>();

  /** Names are in lower case. */
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

/**
 * The value of a field, or several joined by a comma (RFC 9110 section 5.3); null if it is absent. `name` is in lower
 * case.
 */
export function findHeader(headers: HeaderList, name: string): string | null {
  let found: string | null = null;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const candidate = headers[at] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const value = headers[at + 1] as string;
    found = found === null ? value : `${found}, ${value}`;
  }
  return found;
}

/** Adds a field of the proxy, unless the edits of the route have removed it. */
export function put(list: string[], dropped: NameTable<true> | null, name: string, value: string): void {
  if (dropped === null || !dropped.has(name)) list.push(name, value);
}

/** What a listener does with fields that are legal and dangerous. */
export interface HeaderRules {
  /**
   * Fields with an underscore in their name: removed, refused with 400, or kept. CGI, and what has learnt from it, sees
   * `X_Forwarded_For` and `X-Forwarded-For` as one variable (RFC 3875 section 4.1.18), and a client may write the first.
   */
  readonly underscores: 'drop' | 'reject' | 'keep';
}

export function withoutUnderscores(headers: HeaderList): HeaderList {
  return headers.filter((_, at) => headers[at - (at % 2)]?.includes('_') === false);
}
