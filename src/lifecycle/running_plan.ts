/** The running plan, with its origins and the data plane built from it: one value behind one reference. */
import type { Plan } from '../config/plan.ts';
import type { PlanOrigins } from '../config/plan_origins.ts';
import type { Problem } from '../config/problems.ts';
import type { FileStates } from '../config/watcher.ts';
import type { DataPlane } from '../http/data_plane.ts';

/** A plan with the facts of its loading. */
export interface LoadedPlan {
  readonly plan: Plan;
  readonly origins: PlanOrigins;
  /** Values from environment variables, which are never shown. */
  readonly secrets: readonly string[];
  readonly files: FileStates;
  /** About settings that are allowed but probably not intended. */
  readonly warnings: readonly Problem[];
  /** The text of the configuration. */
  readonly source: string;
}

export interface RunningPlan {
  readonly loaded: LoadedPlan;
  readonly plane: DataPlane;
}

/** Replaced only by `apply_plan.ts`. */
export interface RunningRef {
  current: RunningPlan;
}
