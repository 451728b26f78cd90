/** The last steps to a plan: canonical form, digest, deep freeze; and the mask for showing one. */
import { createHash } from 'node:crypto';
import type { Plan } from './plan.ts';

/** JSON with sorted keys and no spaces: the same plan has the same text, whatever the order in the file. */
function canonical(value: unknown): string {
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

const SECRET_KEYS = new Set(['keyPem']);
const MASK = '***';

/** A copy that may be shown: private keys are masked. */
export function maskSecrets(plan: Plan): Plan {
  return mask(plan) as Plan;
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      SECRET_KEYS.has(key) && inner !== null ? MASK : mask(inner),
    ]),
  );
}
