/** The last steps to a plan: canonical form, digest, deep freeze. */
import { createHash } from 'node:crypto';
import { deepFreeze } from '../deep_freeze.ts';
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
