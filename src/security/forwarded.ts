/**
 * `Forwarded` (RFC 7239): read from a proxy that is trusted, and written.
 *
 *   Forwarded: for=192.0.2.60;proto=https;host=a.example, for="[2001:db8::1]:4711";by=_edge
 *
 * The grammar is section 4's, and a little more, because proxies write it: spaces around semicolons, and colons and brackets
 * without quotes. Nothing is repaired: a field that cannot be read as a whole is not read in part, for a quote that a client leaves
 * open would swallow what the proxy behind it adds.
 */
import { isAuthority } from './authority.ts';
import { addressOfNode } from './ip_address.ts';

export interface ForwardedElement {
  /** The address of the client of the proxy that has written the element; null: unknown, hidden (section 6.3) or none. */
  readonly ip: string | null;
  readonly proto: 'http' | 'https' | null;
  /** What `Host` was; null also where it cannot be one. */
  readonly host: string | null;
}

const OWS = /[ \t]*/y;
const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?==)/y;
const PLAIN_VALUE = /[!#$%&'*+\-.^_`|~0-9A-Za-z:[\]]+/y;
const QUOTED_VALUE = /"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e\x80-\xff])*)"/y;

/** In the order in which they were written: the last is that of the peer. Null: not well formed. */
export function parseForwarded(text: string): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  const scanner = new Scanner(text);
  while (!scanner.isAtEnd) {
    if (scanner.skip(',')) continue; // RFC 9110 section 5.6.1: an empty element says nothing
    const element = parseElement(scanner);
    if (element === null) return null;
    elements.push(element);
    if (!scanner.isAtEnd && !scanner.skip(',')) return null;
  }
  return elements;
}

function parseElement(scanner: Scanner): ForwardedElement | null {
  const parameters = new Map<string, string>();
  do {
    if (scanner.isAt(';') || scanner.isAt(',') || scanner.isAtEnd) continue; // `for=a;` is seen
    const name = scanner.take(NAME)?.toLowerCase();
    if (name === undefined || parameters.has(name) || !scanner.skipExactly('=')) return null;
    const value = scanner.value();
    if (value === null) return null;
    parameters.set(name, value);
  } while (scanner.skip(';'));
  const host = parameters.get('host');
  return {
    ip: addressOfNode(parameters.get('for') ?? 'unknown'),
    proto: schemeOf(parameters.get('proto')),
    host: host !== undefined && host !== '' && isAuthority(host) ? host : null,
  };
}

function schemeOf(proto: string | undefined): 'http' | 'https' | null {
  const lower = proto?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : null;
}

/** Reads from left to right; white space between the parts means nothing. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.take(OWS);
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }
  isAt(character: string): boolean {
    return this.#text[this.#at] === character;
  }
  skip(character: string): boolean {
    if (!this.isAt(character)) return false;
    this.#at++;
    this.take(OWS);
    return true;
  }
  skipExactly(character: string): boolean {
    if (!this.isAt(character)) return false;
    this.#at++;
    return true;
  }
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[1] ?? found[0];
  }
  value(): string | null {
    const quoted = this.isAt('"') ? this.take(QUOTED_VALUE) : undefined;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? this.take(PLAIN_VALUE);
    this.take(OWS);
    return value ?? null;
  }
}

/** One element; what is no token is quoted, an IPv6 address bracketed too (section 6). `host` empty: it is not known. */
export function formatForwarded(peer: string, host: string, scheme: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  if (host === '') return `for=${node};proto=${scheme}`;
  return `for=${node};host=${/^[A-Za-z0-9.-]+$/.test(host) ? host : `"${host}"`};proto=${scheme}`;
}
