/** The plan that serves, with where it came from and what was built from it: one value behind one reference. */
import type { Plan } from '../config/plan.ts';
import type { Problem } from '../config/problems.ts';
import type { FileStates } from '../config/watcher.ts';
import type { DataPlane } from '../http/data_plane.ts';

/** A plan with what came with it. */
export interface LoadedPlan {
  readonly plan: Plan;
  /** For each leaf of the plan: `file:line:col` or `default`. */
  readonly origins: ReadonlyMap<string, string>;
  /** Values of the environment, which are not shown. */
  readonly secrets: readonly string[];
  readonly files: FileStates;
  /** What is allowed and probably not meant. */
  readonly warnings: readonly Problem[];
  /** The text of the configuration. */
  readonly source: string;
}

export interface RunningPlan {
  readonly loaded: LoadedPlan;
  readonly plane: DataPlane;
}

/** Read by everybody, replaced by `apply_plan.ts` alone. */
export interface RunningRef {
  current: RunningPlan;
}
