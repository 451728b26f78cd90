/** A plan as it may be shown, with its secrets masked. */
import type { NamedMatch } from '../routing/route.ts';
import { isSecretName, MASK, withoutUserInfo } from '../security/secrets.ts';
import type { Plan } from './plan.ts';

/** A copy that may be shown: keys, tokens, headers for collectors, and fields that look like secrets are masked. */
export function maskSecrets(plan: Plan): Plan {
  const masked = maskPart(plan) as Plan;
  const { otlp } = plan.tracing;
  if (otlp === null) return masked;
  // These fields authenticate, whatever their names.
  const headers = otlp.headers.map(([name]) => [name, MASK] as const);
  const endpoint = withoutUserInfo(otlp.endpoint);
  return { ...masked, tracing: { ...masked.tracing, otlp: { ...otlp, endpoint, headers } } };
}

/** The same for one listener, route or cluster. */
export function maskPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskPart);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskAt(key, inner)]));
}

const SECRET_KEYS: ReadonlySet<string> = new Set([
  'keyPem',
  'ticketKey',
  'token',
  'password',
  'passwordHash',
]);

function maskAt(key: string, value: unknown): unknown {
  if (SECRET_KEYS.has(key) && value !== null) return MASK;
  const isFields = key === 'set' || key === 'add' || key === 'headers' || key === 'query';
  return isFields && Array.isArray(value) ? value.map(maskField) : maskPart(value);
}

/** A pair of name and value, or the condition of a match. */
function maskField(field: unknown): unknown {
  if (Array.isArray(field)) return isSecretName(String(field[0])) ? [field[0], MASK] : field;
  const { name, test } = field as NamedMatch;
  return isSecretName(name) && 'value' in test ? { name, test: { ...test, value: MASK } } : field;
}
