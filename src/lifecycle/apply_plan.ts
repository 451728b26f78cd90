/**
 * Makes a loaded plan the running one: assemble, swap, reconcile, in this order. No other file swaps plans.
 * Everything that can fail was done before (listeners are bound, the plan is valid): only a bug can throw here, and
 * only before anything has changed.
 */
import { lookAt } from '../config/watcher.ts';
import type { Overload } from '../resilience/overload.ts';
import { assemblePlane, type PreparedRoutes } from './assemble.ts';
import type { CertificateWatch } from './certificate_watch.ts';
import type { ConfigFiles } from './config_files.ts';
import type { DescriptorLimits } from './descriptors.ts';
import type { Listeners } from './listeners.ts';
import type { PlanHistory } from './plan_history.ts';
import type { PortSharing } from './port_sharing.ts';
import type { LoadedPlan, RunningRef } from './running_plan.ts';
import type { Runtime } from './runtime_state.ts';
import { readVersion } from './version.ts';

/** The parts of the process that follow the plan. */
export interface PlanFollowers {
  readonly running: RunningRef;
  readonly runtime: Runtime;
  readonly overload: Overload;
  readonly listeners: Listeners;
  readonly certificates: CertificateWatch;
  readonly descriptors: DescriptorLimits;
  readonly portSharing: PortSharing;
  readonly history: PlanHistory;
  readonly files: ConfigFiles;
}

/** `isOlder`: the plan ran before, and is not what the file contains now. */
export function applyPlan(
  parts: PlanFollowers,
  next: LoadedPlan,
  prepared: PreparedRoutes,
  isOlder: boolean,
): void {
  const { running, runtime, overload, history, files } = parts;
  const { plan } = next;
  const plane = assemblePlane(plan, prepared, next.origins, runtime);

  running.current = { loaded: next, plane };

  runtime.telemetry.setSettings(plan.logging);
  overload.setSettings(plan.process.overload);
  runtime.traffic.buffers.setLimit(plan.process.bufferedBytesMax);
  followPlan(parts);
  runtime.registry.retainUsed();
  runtime.metrics.retainUsed();
  history.remember(next, runtime.clock.wallMs(), !isOlder);
  // A newer file must not undo a rollback to an older plan.
  files.watch(isOlder ? lookAt([...next.files.keys()]) : next.files, plan.process.reload.watch);
}

/** The file contains the running plan, perhaps on other lines, or again after a rollback. */
export function confirmPlan({ running, history, files }: PlanFollowers, same: LoadedPlan): void {
  const { plane } = running.current;
  running.current = { loaded: same, plane: { ...plane, origins: same.origins } };
  history.refresh(same);
  files.watch(same.files, same.plan.process.reload.watch);
}

/** At the start and after each swap: everything outside the plan follows it. */
export function followPlan(parts: PlanFollowers): void {
  const { running, runtime, descriptors, portSharing, listeners, certificates } = parts;
  const { plan } = running.current.loaded;
  runtime.telemetry.setExport(plan.tracing.otlp, readVersion());
  descriptors.apply(plan);
  portSharing.apply(plan);
  listeners.commit(plan.listeners, plan.process.drain.timeoutMs);
  certificates.watch(Object.values(plan.listeners));
}
