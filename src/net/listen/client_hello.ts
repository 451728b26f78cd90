/**
 * The server name in a ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), read from the first bytes of a connection. It is
 * needed only where OpenSSL does not report it: on a TLS 1.2 connection that resumes a session. The message is not validated.
 */

/** `incomplete`: the bytes end before the name is known. Only an attacker sends such small pieces. */
export type HelloName =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'incomplete' };

const RECORD_HEADER_BYTES = 5;
/** Type and length of the handshake message, the version, the random bytes. */
const FIXED_BYTES = 4 + 2 + 32;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

export function serverNameIn(bytes: Buffer): HelloName {
  try {
    const name = readName(new Reader(bytes.subarray(RECORD_HEADER_BYTES)));
    return name === null ? { kind: 'none' } : { kind: 'name', name };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'incomplete' };
    throw error;
  }
}

function readName(hello: Reader): string | null {
  hello.skip(FIXED_BYTES);
  hello.skip(hello.number(1)); // session id
  hello.skip(hello.number(2)); // cipher suites
  hello.skip(hello.number(1)); // compression methods
  if (hello.isAtEnd) return null; // RFC 5246 section 7.4.1.2: extensions may be absent
  const extensions = hello.part(hello.number(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.part(extensions.number(2));
    if (type !== SERVER_NAME_EXTENSION) continue;
    body.skip(2); // length of the list, of which only the first entry is used
    return body.number(1) === HOST_NAME ? body.text(body.number(2)) : null;
  }
  return null;
}

/** Throws a RangeError if the bytes end too soon, as `Buffer` does. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
  number(bytes: 1 | 2): number {
    const value = this.#bytes.readUIntBE(this.#at, bytes);
    this.#at += bytes;
    return value;
  }
  skip(bytes: number): void {
    this.#take(bytes);
  }
  part(bytes: number): Reader {
    return new Reader(this.#take(bytes));
  }
  text(bytes: number): string {
    return this.#take(bytes).toString('latin1');
  }
  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new RangeError('the bytes end too soon');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
