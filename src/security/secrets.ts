/** Values that are never shown: one rule for the plan, for explanations and for why a route did not match. */

/** Shown in place of a secret. */
export const MASK = '***';

/** Names of header fields and query parameters that usually contain a secret. */
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie)$|secret|token|password|passwd|api-?key|signature|credential/i;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A shorter value of an environment variable is no secret, and would occur in too many places by chance. */
const SECRET_LENGTH_MIN = 6;

/** Values of `${VAR}` are never shown, whatever the setting is called. */
export function secretValues(values: Iterable<string>): readonly string[] {
  // Longest first, because one may be part of another.
  return [...new Set(values)]
    .filter(({ length }) => length >= SECRET_LENGTH_MIN)
    .sort((a, b) => b.length - a.length);
}

/** A copy of JSON data in which no string contains one of `secrets`; keys are not changed. */
export function withoutSecretValues<T>(data: T, secrets: readonly string[]): T {
  return secrets.length === 0 ? data : (masked(data, secrets) as T);
}

function masked(data: unknown, secrets: readonly string[]): unknown {
  if (typeof data === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, MASK), data);
  if (Array.isArray(data)) return data.map(item => masked(item, secrets));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, masked(value, secrets)]));
}

/** A URL without user and password. */
export function withoutUserInfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`);
}
