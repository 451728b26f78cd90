/**
 * NTLM and Negotiate authenticate a connection, not a request (RFC 4559 section 6): after the handshake whoever sends
 * the next request on it is taken for the one who has logged in. Such a connection must never serve another client.
 */
const FIELDS: readonly string[] = ['authorization', 'www-authenticate'];
const LENGTHS = new Set(FIELDS.map(({ length }) => length));
/** Also behind another challenge in the same field. */
const SCHEME = /(?:^|,)[ \t]*(?:ntlm|negotiate)(?:[ \t,]|$)/i;

/** A request with such a credential, or a response with such a challenge. */
export function authenticatesConnection(headers: readonly string[]): boolean {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!LENGTHS.has(name.length) || !FIELDS.includes(name.toLowerCase())) continue;
    if (SCHEME.test(headers[at + 1] as string)) return true;
  }
  return false;
}
