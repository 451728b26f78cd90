/**
 * NTLM and Negotiate authenticate a connection, not a request (RFC 4559 section 6): after the handshake every request
 * on the connection counts as that of the user who logged in. Such a connection must never serve another client.
 */
import { fieldValues } from '../fields.ts';

/** Matches also after another challenge in the same field. */
const SCHEME = /(?:^|,)[ \t]*(?:ntlm|negotiate)(?:[ \t,]|$)/i;

/** Whether a request logs in its connection (NTLM or Negotiate) rather than itself. */
export function carriesConnectionLogin(headers: readonly string[]): boolean {
  return fieldValues(headers, 'authorization').some(credential => SCHEME.test(credential));
}

/** Whether a 401 response asks for such a login. */
export function asksForConnectionLogin(headers: readonly string[]): boolean {
  return fieldValues(headers, 'www-authenticate').some(challenge => SCHEME.test(challenge));
}
