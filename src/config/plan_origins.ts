/**
 * Where each value of a plan comes from: `file:line:col`, or `default`. Most values are defaults, and what is written
 * tends to be a part with several values. So only a part whose origin differs from the part around it has an entry:
 * 10,000 routes have 390,000 values and 41,000 entries.
 */
import { valueAt } from './text/path.ts';

export const DEFAULT_ORIGIN = 'default';

export class PlanOrigins {
  /** Path in the plan to the origin of that part, where it differs from the part around it. Plain data. */
  readonly noted: ReadonlyMap<string, string>;

  constructor(noted: ReadonlyMap<string, string>) {
    this.noted = noted;
  }

  /** `routes.api.responseHeadMs`: a route is called by its name. */
  get(planPath: string): string {
    return nearestOrigin(this.noted, planPath);
  }

  /** An entry for each leaf of the plan but the digest, which follows from all others. */
  ofLeaves(plan: unknown): Map<string, string> {
    const all = new Map<string, string>();
    const visit = (value: unknown, path: string, around: string): void => {
      const origin = this.noted.get(path) ?? around;
      const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
      if (entries.length === 0) all.set(path, origin);
      for (const [key, inner] of entries) {
        // Routes are a list in the plan, but are called by name.
        const name = path === 'routes' ? String(valueAt(inner, ['name'])) : key;
        visit(inner, path === '' ? name : `${path}.${name}`, origin);
      }
    };
    visit(plan, '', DEFAULT_ORIGIN);
    all.delete('digest');
    return all;
  }
}

/** That of the path itself, or of the nearest part around it that has one. */
export function nearestOrigin(noted: ReadonlyMap<string, string>, planPath: string): string {
  for (let end = planPath.length; end > 0; end = planPath.lastIndexOf('.', end - 1)) {
    const origin = noted.get(planPath.slice(0, end));
    if (origin !== undefined) return origin;
  }
  return DEFAULT_ORIGIN;
}
