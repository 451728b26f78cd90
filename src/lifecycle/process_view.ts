/**
 * What the admin side gets from the process, and what the process gets from it: lifecycle does not know its
 * implementation.
 */
import type { Overload } from '../resilience/overload.ts';
import type { CertificateFacts } from './certificate_watch.ts';
import type { DrainView } from './drain_progress.ts';
import type { PlanHistory } from './plan_history.ts';
import type { Readiness } from './readiness.ts';
import type { ReloadResult, ReloadTrigger } from './reload.ts';
import type { RunningRef } from './running_plan.ts';
import type { Runtime } from './runtime_state.ts';
import type { DrainResult, ProcessPhase } from './shutdown.ts';

export interface LastReload {
  readonly at: string;
  readonly trigger: ReloadTrigger;
  readonly result: ReloadResult;
}

/** The getters return values that change. */
export interface ProcessView {
  readonly running: RunningRef;
  readonly runtime: Runtime;
  readonly history: PlanHistory;
  readonly overload: Overload;
  readonly startedAtMs: number;
  /** Chosen at the start; the process calls itself so in the `Via` field. */
  readonly instanceId: string;
  readonly phase: ProcessPhase;
  readonly lastReload: LastReload | null;
  /** Addresses that the listeners are bound to, by name. */
  readonly addresses: ReadonlyMap<string, string>;
  /** The certificates of the listeners. */
  readonly certificates: readonly CertificateFacts[];
  readiness(): Readiness;
  /** The requests in flight, and the time they have left. */
  drainView(): DrainView;
  reload(trigger: ReloadTrigger): Promise<ReloadResult>;
  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<ReloadResult>;
  /** `cause` says who asked for it. */
  drain(cause: string): Promise<unknown>;
}

export interface AdminSide {
  /** Returns the problems; empty if the API is open or off. */
  open(): Promise<readonly string[]>;
  close(result: DrainResult): Promise<void>;
}

export type CreateAdmin = (process: ProcessView) => AdminSide;
