/** The plan that serves, with where it came from and what was built from it: one value behind one reference. */
import type { Plan } from '../config/plan.ts';
import type { PlanOrigins } from '../config/plan_origins.ts';
import type { FileStates } from '../config/watcher.ts';
import type { DataPlane } from '../http/data_plane.ts';

/** A plan with what came with it. */
export interface LoadedPlan {
  readonly plan: Plan;
  readonly origins: PlanOrigins;
  /** Values of the environment, which are not shown. */
  readonly secrets: readonly string[];
  readonly files: FileStates;
}

export interface RunningPlan {
  readonly loaded: LoadedPlan;
  readonly plane: DataPlane;
}

/** Read by everybody, replaced by `apply_plan.ts` alone. */
export interface RunningRef {
  current: RunningPlan;
}
