/**
 * One reload, read top to bottom: load, compile, compare, prepare, bind what is new, assemble, swap, reconcile.
 *
 * Nothing changes before the swap; any problem before it leaves the old plan running and says why. All triggers end here:
 * while one reload runs a second waits, and a third joins the one that waits.
 */
import type { PlanChange } from '../config/diff.ts';
import type { LoadResult } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import type { Problem } from '../config/problems.ts';
import { describeDefect } from '../resilience/defect.ts';
import type { PreparedRoutes } from './assemble.ts';
import type { LoadedPlan } from './running_plan.ts';
import type { AppliedChanges } from './touched_traffic.ts';

/** `certificates`: only files that the configuration names have changed, not the configuration itself. */
export type ReloadTrigger = 'signal' | 'watch' | 'certificates' | 'admin' | 'rollback' | 'probation';

/** What is read again: the file, or only the files that the running configuration names. */
type ReloadSource = 'file' | 'materials';

export type ReloadResult =
  | { readonly kind: 'applied'; readonly digest: string; readonly changes: AppliedChanges }
  | { readonly kind: 'unchanged'; readonly digest: string }
  | { readonly kind: 'rejected'; readonly digest: string; readonly problems: readonly string[] };

/** The process, as a reload needs it. */
export interface Reloadable {
  readonly plan: Plan;
  /** False before the process serves, and from the moment when it begins to end. */
  readonly isServing: boolean;
  /** `materials`: the text of the running plan again, with the certificates and keys as they are now. */
  load(source: ReloadSource): Promise<LoadResult>;
  /** False after a rollback: the running plan is not what the file contains. */
  readonly isFromFile: boolean;
  /**
   * A plan that ran before: the previous one, or the one with this digest (or beginning of it). A string says why
   * there is none.
   */
  older(digest: string | null): LoadedPlan | string;
  /** What changes in meaning; in slices as well. */
  compare(next: Plan): Promise<readonly PlanChange[]>;
  /** Adds the traffic of the plan that still runs. */
  touched(changes: readonly PlanChange[]): AppliedChanges;
  /** Builds what depends on the plan alone, in slices, between which requests are served. */
  prepare(next: Plan): Promise<PreparedRoutes>;
  /** Binds the listeners that the next plan adds. Returns the problems; on failure none of them stays open. */
  openListeners(next: Plan): Promise<readonly string[]>;
  /** Closes the listeners that were bound and are not needed after all. */
  discardListeners(): Promise<void>;
  /**
   * Assembles, swaps and reconciles. Throws only for a bug, and before anything has changed. `isOlder`: the plan ran
   * before, and is not what the file contains now.
   */
  apply(next: LoadedPlan, prepared: PreparedRoutes, isOlder: boolean): void;
  /** The file contains the running plan, perhaps on other lines, or again after a rollback. */
  confirm(same: LoadedPlan): void;
  describe(problem: Problem): string;
  report(trigger: ReloadTrigger, result: ReloadResult, tookMs: number): void;
  nowMs(): number;
}

export class Reloader {
  readonly #target: Reloadable;
  /** The last change that runs or waits. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting: { source: ReloadSource; readonly result: Promise<ReloadResult> } | null = null;

  constructor(target: Reloadable) {
    this.#target = target;
  }

  request(trigger: ReloadTrigger): Promise<ReloadResult> {
    const source = trigger === 'certificates' ? 'materials' : 'file';
    // A trigger while a reload waits shares its result, because that reload reads the file later.
    if (this.#waiting !== null) {
      if (source === 'file') this.#waiting.source = source; // this reads the materials too
      return this.#waiting.result;
    }
    const result = this.#inTurn(trigger, () => {
      const wanted = this.#waiting?.source ?? source;
      this.#waiting = null;
      return reload(this.#target, wanted);
    });
    this.#waiting = { source, result };
    return result;
  }

  /** `to` null: to the plan before the running one. `from`: only if that plan still runs when its turn comes. */
  rollback(trigger: ReloadTrigger, to: string | null, from: string | null): Promise<ReloadResult> {
    return this.#inTurn(trigger, () => rollback(this.#target, to, from));
  }

  /** A bug counts as a rejected change: the process continues. */
  async #safely(change: () => Promise<ReloadResult>): Promise<ReloadResult> {
    try {
      return await change();
    } catch (error) {
      await this.#target.discardListeners();
      const problems = [`a bug in Fairlead, please report it: ${describeDefect(error)}`];
      return { kind: 'rejected', digest: this.#target.plan.digest, problems };
    }
  }

  #inTurn(trigger: ReloadTrigger, change: () => Promise<ReloadResult>): Promise<ReloadResult> {
    const run = this.#tail.then(async () => {
      const startedAtMs = this.#target.nowMs();
      const result = await this.#safely(change);
      this.#target.report(trigger, result, this.#target.nowMs() - startedAtMs);
      return result;
    });
    this.#tail = run.catch(() => {}); // the caller gets the error; the next change runs all the same
    return run;
  }
}

const NOT_SERVING = 'the process is starting or shutting down; nothing was changed';

async function reload(target: Reloadable, source: ReloadSource): Promise<ReloadResult> {
  const { digest } = target.plan;
  const loaded = await target.load(source);
  if (loaded.kind === 'unreadable') return { kind: 'rejected', digest, problems: [loaded.message] };
  if (loaded.kind === 'invalid') {
    const errors = loaded.problems.filter(problem => problem.severity === 'error');
    return { kind: 'rejected', digest, problems: errors.map(problem => target.describe(problem)) };
  }
  return swap(target, loaded, source === 'materials' && !target.isFromFile);
}

/** Like a reload, except for where the plan comes from. */
async function rollback(target: Reloadable, to: string | null, from: string | null): Promise<ReloadResult> {
  const { digest } = target.plan;
  if (from !== null && from !== digest) return { kind: 'unchanged', digest };
  const older = target.older(to);
  if (typeof older === 'string') return { kind: 'rejected', digest, problems: [older] };
  return swap(target, older, true);
}

async function swap(target: Reloadable, next: LoadedPlan, isOlder: boolean): Promise<ReloadResult> {
  const { digest } = target.plan;
  if (next.plan.digest === digest) {
    if (!isOlder) target.confirm(next);
    return { kind: 'unchanged', digest };
  }
  const changes = await target.compare(next.plan);
  const fixed = restartReasons(changes);
  if (fixed.length > 0) return { kind: 'rejected', digest, problems: fixed };
  if (!target.isServing) return { kind: 'rejected', digest, problems: [NOT_SERVING] };
  const prepared = await target.prepare(next.plan);
  const taken = await target.openListeners(next.plan);
  if (taken.length > 0) return { kind: 'rejected', digest, problems: taken };
  if (!target.isServing) {
    await target.discardListeners();
    return { kind: 'rejected', digest, problems: [NOT_SERVING] };
  }
  const touched = target.touched(changes);
  target.apply(next, prepared, isOlder);
  return { kind: 'applied', digest: next.plan.digest, changes: touched };
}

/** Settings that a running process cannot change. */
export function restartReasons(changes: readonly PlanChange[]): string[] {
  return changes
    .filter(change => change.class === 'restart')
    .map(({ path }) => `${path} cannot change while the process runs; restart it`);
}
