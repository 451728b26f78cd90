/**
 * Composes the process from its parts. Listeners are bound first, because a port that is taken must change nothing.
 * Later changes are in `reload.ts`, `apply_plan.ts` and `shutdown.ts`.
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Environment } from '../config/loader.ts';
import type { Services } from '../http/request.ts';
import { SlowClients } from '../http/slow_clients.ts';
import { type LookUp, systemLookUp } from '../net/resolver.ts';
import { BufferedDestination, type LogDestination } from '../observability/log_destination.ts';
import { systemClock } from '../resilience/clock.ts';
import { describeDefect } from '../resilience/defect.ts';
import { Overload } from '../resilience/overload.ts';
import { systemRandom } from '../resilience/random.ts';
import { followPlan, type PlanFollowers } from './apply_plan.ts';
import { assembleAtOnce } from './assemble.ts';
import { type CertificateFacts, CertificateWatch } from './certificate_watch.ts';
import { ConfigFiles } from './config_files.ts';
import { DescriptorLimits } from './descriptors.ts';
import { DrainReport, type DrainView, drainView } from './drain_progress.ts';
import { Listeners } from './listeners.ts';
import { logProblem, logTarget } from './log_file.ts';
import { OverloadWatch } from './overload_watch.ts';
import { PhaseKeeper } from './phase_keeper.ts';
import { PlanHistory } from './plan_history.ts';
import { PortSharing } from './port_sharing.ts';
import { Probation } from './probation.ts';
import { ProcessDrain } from './process_drain.ts';
import { ProcessReload } from './process_reload.ts';
import type { AdminSide, CreateAdmin, LastReload, ProcessView } from './process_view.ts';
import { type Readiness, readinessOf } from './readiness.ts';
import { Reloader, type ReloadResult, type ReloadTrigger } from './reload.ts';
import type { LoadedPlan, RunningRef } from './running_plan.ts';
import { createRuntime, type Runtime } from './runtime_state.ts';
import { runtimeView } from './runtime_view.ts';
import { createServiceManager, type ServiceManager } from './service_manager.ts';
import { type DrainResult, type ProcessPhase, Shutdown } from './shutdown.ts';
import { readVersion } from './version.ts';

/** How long the end of the process waits for a reader to take the last log line. */
const LAST_LINE_MS = 200;

export interface StartOptions {
  readonly configFile: string;
  /** Why there is no file to reload, for a process that was started without one. */
  readonly withoutFile?: string | null;
  readonly loaded: LoadedPlan;
  readonly env: Environment;
  /** The admin side, which opens the admin API. */
  readonly createAdmin: CreateAdmin;
  /** Standard output, except in tests. */
  readonly log?: LogDestination;
  /** The name lookup of the system, except in tests. */
  readonly lookUp?: LookUp;
  /** The heap of this process, except in tests. */
  readonly heapRatio?: () => number;
}

export type StartResult =
  | { readonly kind: 'started'; readonly proxy: RunningProxy }
  | {
      readonly kind: 'failed';
      readonly cause: 'log' | 'address';
      readonly problems: readonly string[];
    };

export async function startProxy(options: StartOptions): Promise<StartResult> {
  const noLog = options.log === undefined ? logProblem(options.loaded.plan) : null;
  if (noLog !== null) return { kind: 'failed', cause: 'log', problems: [noLog] };
  const proxy = new RunningProxy(options, await createServiceManager(options.env, systemClock));
  const problems = await proxy.start();
  return problems.length === 0 ? { kind: 'started', proxy } : { kind: 'failed', cause: 'address', problems };
}

export class RunningProxy implements ProcessView {
  readonly runtime: Runtime;
  readonly running: RunningRef;
  readonly history = new PlanHistory();
  readonly overload: Overload;
  readonly startedAtMs: number;
  readonly instanceId = randomBytes(4).toString('hex');
  readonly #followers: PlanFollowers;
  readonly #phase: PhaseKeeper;
  readonly #manager: ServiceManager;
  readonly #reload: ProcessReload;
  readonly #reloader: Reloader;
  readonly #shutdown: Shutdown;
  readonly #admin: AdminSide;
  readonly #stopped = Promise.withResolvers<DrainResult>();

  constructor(options: StartOptions, manager: ServiceManager) {
    const { loaded, lookUp = systemLookUp } = options;
    const { plan } = loaded;
    const openLog = (onDropped: () => void) =>
      options.log ?? new BufferedDestination(logTarget(plan, options.env), systemClock, onDropped);
    const runtime = createRuntime(plan, openLog, lookUp, systemClock, systemRandom);
    const { clock, telemetry, traffic, metrics, registry, connections } = runtime;
    this.runtime = runtime;
    this.startedAtMs = clock.nowMs();
    this.#manager = manager;
    this.#phase = new PhaseKeeper(runtime);
    this.running = {
      current: {
        loaded,
        plane: assembleAtOnce(plan, loaded.origins, runtime),
      },
    };
    registry.retainUsed();
    metrics.retainUsed();
    this.overload = new Overload(plan.process.overload, change =>
      telemetry.emit({ kind: 'overload', ...change }),
    );
    const overloadWatch = new OverloadWatch(this.overload, clock, options.heapRatio);
    const certificates = new CertificateWatch(clock, event => telemetry.emit(event));
    const listeners = new Listeners(
      this.#services(),
      connections,
      () => this.running.current.loaded.plan.process.connectionsMax,
    );
    const files = new ConfigFiles(clock, changed => {
      void this.reload(changed.includes(resolve(options.configFile)) ? 'watch' : 'certificates');
    });
    const probation = new Probation(
      traffic,
      () => metrics.stats.counts(clock.nowMs()),
      clock,
      why => this.#undo(why),
    );
    this.#followers = {
      running: this.running,
      runtime,
      overload: this.overload,
      listeners,
      certificates,
      descriptors: new DescriptorLimits(connections, message => this.warn(message)),
      portSharing: new PortSharing(message => this.warn(message)),
      history: this.history,
      files,
    };
    const { configFile, withoutFile = null, env } = options;
    const parts = { ...this.#followers, phase: this.#phase, overloadWatch, probation };
    this.#reload = new ProcessReload({ ...parts, configFile, withoutFile, env });
    this.#reloader = new Reloader(this.#reload);
    this.#admin = options.createAdmin(this);
    const drain = new ProcessDrain({
      ...parts,
      manager,
      disposables: [certificates, overloadWatch, new SlowClients(traffic.active, clock)],
      report: new DrainReport(
        () => this.drainView(),
        text => manager.status(text),
        clock,
      ),
      closeAdmin: result => this.#admin.close(result),
    });
    this.#shutdown = new Shutdown(drain, clock);
    metrics.observe(runtimeView(this.running, runtime, certificates, this.overload));
  }

  #services(): Services {
    const { clock, random, telemetry, traffic } = this.runtime;
    return {
      planeRef: this.running,
      clock,
      random,
      telemetry,
      traffic,
      instanceId: this.instanceId,
      overload: this.overload,
      isReady: () => this.readiness().ready,
    };
  }

  // ---- state

  get phase(): ProcessPhase {
    return this.#phase.current;
  }
  get lastReload(): LastReload | null {
    return this.#reload.last;
  }
  get addresses(): ReadonlyMap<string, string> {
    return this.#followers.listeners.addresses;
  }
  get certificates(): readonly CertificateFacts[] {
    return this.#followers.certificates.certificates;
  }
  /** How it ended; resolves when the process has nothing left to do. */
  get stopped(): Promise<DrainResult> {
    return this.#stopped.promise;
  }
  drainView(): DrainView {
    return drainView(this.phase, this.#shutdown.progress, this.runtime);
  }
  readiness(): Readiness {
    return readinessOf(this.phase, this.running.current);
  }

  // ---- actions

  /** Returns the problems that prevent the start; empty if the proxy serves. */
  async start(): Promise<readonly string[]> {
    const { listeners, files } = this.#followers;
    const { loaded } = this.running.current;
    const { plan } = loaded;
    const problems = await listeners.prepare(plan.listeners);
    if (problems.length === 0) problems.push(...(await this.#admin.open()));
    if (problems.length > 0) {
      await listeners.discard();
      this.runtime.registry.dispose();
      return problems;
    }
    this.runtime.telemetry.emit({ kind: 'started', version: readVersion(), plan: plan.digest });
    followPlan(this.#followers);
    this.history.remember(loaded, this.runtime.clock.wallMs(), true);
    files.watch(loaded.files, plan.process.reload.watch);
    this.#phase.enter('serving', null);
    this.#manager.ready(`serving on ${[...this.addresses.values()].join(', ')}`);
    return [];
  }

  reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    return this.#changing(() => this.#reloader.request(trigger));
  }

  rollback(digest: string | null): Promise<ReloadResult> {
    return this.#changing(() => this.#reloader.rollback('rollback', digest, null));
  }

  /** Probation has failed: rolls back if the plan on probation still runs. */
  #undo(why: string): void {
    const { digest } = this.running.current.loaded.plan;
    this.warn(`${why}; rolling back to the previous plan`);
    void this.#changing(() => this.#reloader.rollback('probation', null, digest));
  }

  /** Tells the service manager, unless it was told about the end already. */
  async #changing(change: () => Promise<ReloadResult>): Promise<ReloadResult> {
    if (this.phase === 'serving') this.#manager.reloading();
    const result = await change();
    if (this.phase === 'serving') this.#manager.ready(this.#reload.statusText);
    return result;
  }

  /** `cause` says who asked for it. A second call forces the end. */
  async drain(cause: string): Promise<DrainResult> {
    const result = await this.#shutdown.begin(this.running.current.loaded.plan.process.drain, cause);
    await this.runtime.telemetry.flush(); // the very last line too
    this.#stopped.resolve(result);
    return result;
  }

  /** Stops at once; only the log line about it is still written. */
  async stopNow(cause: string): Promise<void> {
    this.#phase.enter('stopped', cause);
    const { clock, telemetry } = this.runtime;
    const enough = new Promise<void>(resolve => void clock.setTimer(resolve, LAST_LINE_MS, undefined));
    await Promise.race([telemetry.flush(), enough]);
  }

  reopenLogs(): void {
    if (this.running.current.loaded.plan.logging.file === null)
      this.warn('SIGUSR1: the log goes to standard output; there is no logging.file to reopen');
    else this.runtime.telemetry.reopen();
  }

  noteDefect(error: unknown): void {
    this.runtime.telemetry.emit({ kind: 'defect', requestId: null, detail: describeDefect(error) });
  }

  warn(message: string): void {
    this.runtime.telemetry.emit({ kind: 'warning', message });
  }
}
