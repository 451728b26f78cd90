/**
 * The plans that ran, newest first, for rollbacks and for display. A rollback keeps the newer plans, because the file
 * may be repaired by hand meanwhile. But after it "the previous plan" is the one before the plan that was restored,
 * so that two rollbacks go back two plans.
 */
import type { LoadedPlan } from './running_plan.ts';

interface Entry {
  readonly loaded: LoadedPlan;
  readonly at: string;
}

export class PlanHistory {
  /** Each plan once, ordered by when it was last applied; the running one first. */
  #kept: readonly Entry[] = [];
  /** The running plan, the plan before it, and so on: the path of rollbacks. */
  #path: readonly Entry[] = [];
  /** Digest of the plan that the file contained when it was last applied. */
  #fileDigest = '';

  /** False after a rollback: the file contains another plan, which a reload or restart would bring back. */
  get isFromFile(): boolean {
    return this.#kept[0]?.loaded.plan.digest === this.#fileDigest;
  }

  /** The plan itself says how many plans are kept. `isFile`: the file contains it. */
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

  /** Null: the plan before the running one. A string says why there is none. */
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
