/**
 * One reload, read top to bottom: load, compile, compare, bind what is new, assemble, swap, reconcile.
 *
 * Until the swap nothing has changed; any problem before it leaves the old plane serving and says why. All
 * triggers end here: while one reload runs a second waits, and a third replaces the second.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LoadResult } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import type { Problem } from '../config/problems.ts';

export type ReloadTrigger = 'signal' | 'watch' | 'admin';

export type ReloadResult =
  | { readonly kind: 'applied'; readonly digest: string }
  | { readonly kind: 'unchanged'; readonly digest: string }
  | { readonly kind: 'rejected'; readonly digest: string; readonly problems: readonly string[] };

/** What a reload needs of the running process. */
export interface Reloadable {
  readonly plan: Plan;
  load(): Promise<LoadResult>;
  /** Binds the listeners that the next plan adds, or says why that cannot be; on failure nothing is left open. */
  openListeners(next: Plan): Promise<readonly string[]>;
  /** Assembles, swaps and reconciles; cannot fail for reasons outside. */
  apply(next: Plan): void;
  describe(problem: Problem): string;
  report(trigger: ReloadTrigger, result: ReloadResult, tookMs: number): void;
  nowMs(): number;
}

export class Reloader {
  readonly #target: Reloadable;
  #running: Promise<ReloadResult> | null = null;
  #waiting: Promise<ReloadResult> | null = null;

  constructor(target: Reloadable) {
    this.#target = target;
  }

  request(trigger: ReloadTrigger): Promise<ReloadResult> {
    if (this.#running === null) {
      this.#running = this.#run(trigger).finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    // Whoever comes while one waits shares its result: it will read the file after this moment.
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = null;
      return this.request(trigger);
    });
    return this.#waiting;
  }

  async #run(trigger: ReloadTrigger): Promise<ReloadResult> {
    const startedMs = this.#target.nowMs();
    const result = await reload(this.#target);
    this.#target.report(trigger, result, this.#target.nowMs() - startedMs);
    return result;
  }
}

async function reload(target: Reloadable): Promise<ReloadResult> {
  const { digest } = target.plan;
  const loaded = await target.load();
  if (loaded.kind === 'unreadable') return { kind: 'rejected', digest, problems: [loaded.message] };
  if (loaded.kind === 'invalid') {
    const errors = loaded.problems.filter(problem => problem.severity === 'error');
    return { kind: 'rejected', digest, problems: errors.map(problem => target.describe(problem)) };
  }
  const next = loaded.plan;
  if (next.digest === digest) return { kind: 'unchanged', digest };
  const fixed = restartReasons(target.plan, next);
  if (fixed.length > 0) return { kind: 'rejected', digest, problems: fixed };
  const taken = await target.openListeners(next);
  if (taken.length > 0) return { kind: 'rejected', digest, problems: taken };
  target.apply(next);
  return { kind: 'applied', digest: next.digest };
}

/** What a running process cannot change about itself. */
export function restartReasons(running: Plan, next: Plan): string[] {
  return isDeepStrictEqual(running.admin, next.admin)
    ? []
    : ['admin.address cannot change while the process runs: restart it'];
}
