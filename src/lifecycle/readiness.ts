/** Whether the process should get traffic, and why not: for `/readyz`, `healthPath` and the status. */
import type { RunningPlan } from './running_plan.ts';
import type { ProcessPhase } from './shutdown.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready; empty if it is. */
  readonly reasons: readonly string[];
}

export function readinessOf(phase: ProcessPhase, { loaded, plane }: RunningPlan): Readiness {
  const reasons: string[] = [];
  if (phase === 'starting') reasons.push('the process is starting');
  else if (phase !== 'serving') reasons.push('the process is shutting down');
  for (const { name } of Object.values(loaded.plan.clusters).filter(({ required }) => required)) {
    const pool = plane.clusters.get(name)?.pool;
    if (pool?.eligibleCount === 0) reasons.push(`the required cluster ${name} has no endpoint that serves`);
  }
  return { ready: reasons.length === 0, reasons };
}
