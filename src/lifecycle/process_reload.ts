/** The steps of a reload (`reload.ts`) for the parts of the process. */
import { resolve } from 'node:path';
import { diffPlans } from '../config/diff.ts';
import type { LoadOrder } from '../config/load_pieces.ts';
import type { Environment } from '../config/loader.ts';
import { formatMessage, formatPlace } from '../config/problems.ts';
import { stateOfFile } from '../config/watcher.ts';
import { runInSlices } from '../resilience/time_slices.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { applyPlan, confirmPlan, type PlanFollowers } from './apply_plan.ts';
import { prepareRoutes } from './assemble.ts';
import { loadForReload } from './load_thread.ts';
import type { OverloadWatch } from './overload_watch.ts';
import type { PhaseKeeper } from './phase_keeper.ts';
import type { Probation } from './probation.ts';
import type { LastReload } from './process_view.ts';
import type { Reloadable, ReloadResult, ReloadTrigger } from './reload.ts';
import { touchedChanges } from './touched_traffic.ts';

interface ReloadParts extends PlanFollowers {
  readonly configFile: string;
  /** Why there is no file to reload; null if there is one. */
  readonly withoutFile: string | null;
  readonly env: Environment;
  readonly phase: PhaseKeeper;
  readonly overloadWatch: OverloadWatch;
  readonly probation: Probation;
}

export class ProcessReload implements Reloadable {
  readonly #parts: ReloadParts;
  #last: LastReload | null = null;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
  }

  /** The last reload or rollback, unless there was no plan to roll back to. */
  get last(): LastReload | null {
    return this.#last;
  }
  get plan() {
    return this.#parts.running.current.loaded.plan;
  }
  get isServing(): boolean {
    return this.#parts.phase.current === 'serving';
  }

  get isFromFile(): boolean {
    return this.#parts.history.isFromFile;
  }

  async load(source: Parameters<Reloadable['load']>[0]) {
    const { overloadWatch, configFile, withoutFile, env, files } = this.#parts;
    if (source === 'file' && withoutFile !== null)
      return { kind: 'unreadable', message: withoutFile } as const;
    const order = source === 'file' ? { file: configFile, env, text: null } : this.#runningText();
    const result = await overloadWatch.ownWork(() => loadForReload(order));
    if (result.kind === 'invalid') files.add(result.files);
    return result;
  }

  /** A renewed certificate neither waits for an unfinished edit of the configuration file nor applies it. */
  #runningText(): LoadOrder {
    const { running, configFile, env, files } = this.#parts;
    const path = resolve(configFile);
    const state = files.stateOf(path) ?? stateOfFile(path);
    const { source } = running.current.loaded;
    return { file: configFile, env, text: { source, files: new Map([[path, state]]) } };
  }

  older(digest: string | null) {
    return this.#parts.history.find(digest);
  }
  compare(next: Reloadable['plan']) {
    return runInSlices(diffPlans(this.plan, next), this.#parts.runtime.clock);
  }
  touched(changes: Parameters<Reloadable['touched']>[0]) {
    const { running } = this.#parts;
    const { plane, loaded } = running.current;
    return withoutSecretValues(touchedChanges(changes, plane, this.nowMs()), loaded.secrets);
  }
  prepare(next: Reloadable['plan']) {
    return runInSlices(prepareRoutes(next), this.#parts.runtime.clock);
  }
  openListeners({ listeners }: Reloadable['plan']) {
    return this.#parts.listeners.prepare(listeners);
  }
  discardListeners() {
    return this.#parts.listeners.discard();
  }
  apply(...[next, prepared, isOlder]: Parameters<Reloadable['apply']>): void {
    this.#parts.overloadWatch.ownWork(() => applyPlan(this.#parts, next, prepared, isOlder));
  }
  confirm(same: Parameters<Reloadable['confirm']>[0]): void {
    confirmPlan(this.#parts, same);
  }
  describe(problem: Parameters<Reloadable['describe']>[0]): string {
    return `${formatPlace(problem)}: ${formatMessage(problem)}`;
  }

  report(trigger: ReloadTrigger, result: ReloadResult, tookMs: number): void {
    const { runtime, probation } = this.#parts;
    const isRollback = trigger === 'rollback' || trigger === 'probation';
    if (!isRollback || result.kind === 'applied')
      this.#last = { at: new Date(runtime.clock.wallMs()).toISOString(), trigger, result };
    if (result.kind === 'applied') probation.begin(isRollback ? null : this.plan.process.reload.probation);
    runtime.telemetry.emit({
      kind: isRollback ? 'rollback' : 'reload',
      trigger,
      result: result.kind,
      plan: result.digest,
      problems: result.kind === 'rejected' ? result.problems : [],
      ...(result.kind === 'applied' ? { changes: result.changes } : {}),
      tookMs: Math.round(tookMs),
    });
    if (result.kind !== 'applied' || isRollback) return;
    for (const warning of this.#parts.running.current.loaded.warnings)
      runtime.telemetry.emit({ kind: 'warning', message: this.describe(warning) });
  }

  nowMs(): number {
    return this.#parts.runtime.clock.nowMs();
  }

  /** For the service manager. */
  get statusText(): string {
    const result = this.#last?.result;
    return result?.kind === 'rejected'
      ? `reload failed: ${result.problems[0] ?? ''}; still running the previous plan`
      : `serving plan ${this.plan.digest.slice(0, 12)}`;
  }
}
