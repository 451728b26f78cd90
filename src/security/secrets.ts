/** Which values are never shown: one rule for the plan, for explanations and for why a route did not match. */

/** In the place of a secret. */
export const MASK = '***';

/** Names of header fields and query parameters that usually carry one. */
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie)$|secret|token|password|passwd|api-?key|signature|credential/i;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A URL without user and password. */
export function withoutUserInfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`);
}
