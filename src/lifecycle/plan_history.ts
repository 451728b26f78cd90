/**
 * The plans that ran, newest first: to go back to one, and to show. Whoever goes back leaves what came later behind, so
 * that going back twice is going back further; the file still has what was left.
 */
import type { LoadedPlan } from './reload.ts';

interface Entry {
  readonly loaded: LoadedPlan;
  readonly at: string;
}

export class PlanHistory {
  #entries: readonly Entry[] = [];

  /** The plan says how many are kept. */
  remember(loaded: LoadedPlan, wallMs: number): void {
    const at = this.#entries.findIndex(entry => entry.loaded === loaded);
    const entry = { loaded, at: new Date(wallMs).toISOString() };
    const earlier = this.#entries.slice(at + 1); // all of them, if it is a new one
    this.#entries = [entry, ...earlier].slice(0, loaded.plan.process.reload.historyMax);
  }

  /** Null: the one before the running one. A text says why there is none. */
  find(digest: string | null): LoadedPlan | string {
    const [, previous] = this.#entries;
    if (digest === null) return previous?.loaded ?? 'there is no earlier plan to go back to';
    const found = this.#entries.filter(({ loaded }) => loaded.plan.digest.startsWith(digest));
    const digests = new Set(found.map(({ loaded }) => loaded.plan.digest));
    if (digests.size === 1 && found[0] !== undefined) return found[0].loaded;
    const kept = this.#entries.map(({ loaded }) => loaded.plan.digest.slice(0, 12)).join(', ');
    return digests.size > 1
      ? `several plans begin with ${digest}; kept are ${kept}`
      : `no plan ${digest} is kept; kept are ${kept}`;
  }

  list(): { readonly digest: string; readonly at: string }[] {
    return this.#entries.map(({ loaded, at }) => ({ digest: loaded.plan.digest, at }));
  }
}
