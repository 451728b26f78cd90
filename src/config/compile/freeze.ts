/** The last steps to a plan: canonical form, digest, deep freeze; and the mask for showing one. */
import { createHash } from 'node:crypto';
import type { NamedMatch } from '../../routing/route.ts';
import { isSecretName, MASK, withoutUserInfo } from '../../security/secrets.ts';
import type { Plan } from '../plan.ts';

/** JSON with sorted keys and no spaces: the same plan has the same text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

export function seal(content: Omit<Plan, 'digest'>): Plan {
  const { version, ...rest } = content;
  const digest = createHash('sha256').update(canonical(content)).digest('hex');
  return deepFreeze({ version, digest, ...rest });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** A copy that may be shown: keys and tokens are masked, what collectors are told, and fields that look like secrets. */
export function maskSecrets(plan: Plan): Plan {
  const masked = mask(plan) as Plan;
  const { otlp } = plan.tracing;
  if (otlp === null) return masked;
  // Whatever their names, they are there to get in.
  const headers = otlp.headers.map(([name]) => [name, MASK] as const);
  const endpoint = withoutUserInfo(otlp.endpoint);
  return { ...masked, tracing: { ...masked.tracing, otlp: { ...otlp, endpoint, headers } } };
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskAt(key, inner)]));
}

function maskAt(key: string, value: unknown): unknown {
  if ((key === 'keyPem' || key === 'token') && value !== null) return MASK;
  const isFields = key === 'set' || key === 'add' || key === 'headers' || key === 'query';
  return isFields && Array.isArray(value) ? value.map(maskField) : mask(value);
}

/** A pair of name and value, or the condition of a match. */
function maskField(field: unknown): unknown {
  if (Array.isArray(field)) return isSecretName(String(field[0])) ? [field[0], MASK] : field;
  const { name, test } = field as NamedMatch;
  return isSecretName(name) && 'value' in test ? { name, test: { ...test, value: MASK } } : field;
}
