/**
 * The plans that ran, newest first: to go back to one, and to show. Whoever goes back keeps what came later, because the
 * file may be repaired by hand meanwhile; but "the plan before" is from there on the one before that plan, so that going
 * back twice is going back further.
 */
import type { LoadedPlan } from './running_plan.ts';

interface Entry {
  readonly loaded: LoadedPlan;
  readonly at: string;
}

export class PlanHistory {
  /** Each plan once, by when it was put in place last; the running one first. */
  #kept: readonly Entry[] = [];
  /** The running plan, the one that ran when it came, and so on: the way back. */
  #path: readonly Entry[] = [];
  /** Of the plan that the file held when it was last read and taken over. */
  #fileDigest = '';

  /** False after a rollback: the file holds another plan, which a reload or a restart would bring back. */
  get isFromFile(): boolean {
    return this.#kept[0]?.loaded.plan.digest === this.#fileDigest;
  }

  /** The plan says how many are kept. `isFile`: it is what the file says. */
  remember(loaded: LoadedPlan, wallMs: number, isFile: boolean): void {
    const { digest, process } = loaded.plan;
    if (isFile) this.#fileDigest = digest;
    const at = this.#path.findIndex(entry => entry.loaded === loaded);
    const entry = { loaded, at: new Date(wallMs).toISOString() };
    const others = this.#kept.filter(kept => kept.loaded.plan.digest !== digest);
    this.#kept = [entry, ...others].slice(0, process.reload.historyMax);
    const digests = new Set(this.#kept.map(kept => kept.loaded.plan.digest));
    this.#path = [entry, ...this.#path.slice(at + 1)] // all of them, if it is a new one
      .filter(one => digests.has(one.loaded.plan.digest))
      .slice(0, process.reload.historyMax);
  }

  /** The running plan was read again: the same values, perhaps from other lines. */
  refresh(loaded: LoadedPlan): void {
    this.#fileDigest = loaded.plan.digest;
    const renew = (entry: Entry, at: number) => (at === 0 ? { ...entry, loaded } : entry);
    this.#kept = this.#kept.map(renew);
    this.#path = this.#path.map(renew);
  }

  /** Null: the one before the running one. A text says why there is none. */
  find(digest: string | null): LoadedPlan | string {
    const [, previous] = this.#path;
    if (digest === null) return previous?.loaded ?? 'there is no earlier plan to go back to';
    const found = this.#kept.filter(({ loaded }) => loaded.plan.digest.startsWith(digest));
    const digests = new Set(found.map(({ loaded }) => loaded.plan.digest));
    if (digests.size === 1 && found[0] !== undefined) return found[0].loaded;
    const kept = this.#kept.map(({ loaded }) => loaded.plan.digest.slice(0, 12)).join(', ');
    return digests.size > 1
      ? `several plans begin with "${digest}"; kept plans: ${kept}`
      : `plan ${digest} is not kept; kept plans: ${kept}`;
  }

  list(): { readonly digest: string; readonly at: string }[] {
    return this.#kept.map(({ loaded, at }) => ({ digest: loaded.plan.digest, at }));
  }
}
