/**
 * The process from start to end: bind, assemble, serve, and hand later wishes to their stories in `reload.ts` and
 * `shutdown.ts`. The order of a start: listeners are bound first, because a taken port must change nothing.
 */
import { randomBytes } from 'node:crypto';
import { openAdminApi } from '../admin/api.ts';
import { Operator } from '../admin/operator.ts';
import { Report, type Reported } from '../admin/report.ts';
import { Pulse } from '../admin/samples.ts';
import { runtimeView } from '../admin/status.ts';
import type { AdminActions } from '../admin/view.ts';
import { type Environment, type LoadResult, loadConfig } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import { formatMessage, formatPlace, type Problem } from '../config/problems.ts';
import { ConfigWatcher, type FileStates, lookAt } from '../config/watcher.ts';
import { ActiveRequests } from '../http/active_requests.ts';
import type { PlaneRef } from '../http/data_plane.ts';
import type { Services, Traffic } from '../http/request.ts';
import { UntakenAnswers } from '../http/untaken_answers.ts';
import { bindAdvice } from '../net/bind.ts';
import { ConnectionTable } from '../net/connection.ts';
import { formatAddress } from '../net/endpoint.ts';
import { type LookUp, Resolver, systemLookUp } from '../net/resolver.ts';
import { BufferedDestination, type LogDestination } from '../observability/log_destination.ts';
import { Metrics } from '../observability/metrics.ts';
import { ProcessTelemetry } from '../observability/telemetry.ts';
import { type Clock, systemClock } from '../resilience/clock.ts';
import { describeDefect } from '../resilience/defect.ts';
import { Overload } from '../resilience/overload.ts';
import { systemRandom } from '../resilience/random.ts';
import { StateRegistry } from '../resilience/state_registry.ts';
import { assemblePlane } from './assemble.ts';
import { CertificateWatch } from './certificate_watch.ts';
import { Listeners } from './listeners.ts';
import { logProblem, logTarget } from './log_file.ts';
import { OverloadWatch } from './overload_watch.ts';
import { PlanHistory } from './plan_history.ts';
import { Probation } from './probation.ts';
import { type LoadedPlan, Reloader, type ReloadResult, type ReloadTrigger } from './reload.ts';
import type { Runtime } from './runtime_state.ts';
import { createServiceManager, type ServiceManager } from './service_manager.ts';
import { type ProcessPhase, Shutdown } from './shutdown.ts';
import { readVersion } from './version.ts';

/** The last line of the log waits so long for whoever reads it. */
const LAST_LINE_MS = 200;
/** Beyond the longest drain, for the service manager: what comes after it takes a moment. */
const STOP_MARGIN_MS = 10_000;

/** A connection from before the end of accepting has so long to begin with its first request. */
const NEW_MS_MAX = 1_000;

type Loaded = Extract<LoadResult, { kind: 'loaded' }>;

export interface StartOptions {
  readonly configFile: string;
  readonly loaded: Loaded;
  readonly env: Environment;
  /** Standard output unless a test wants to read along. */
  readonly log?: LogDestination;
  /** The system's own name lookup unless a test plays the name server. */
  readonly lookUp?: LookUp;
  /** The heap of this process unless a test fills another one. */
  readonly heapRatio?: () => number;
}

export type StartResult =
  | { readonly kind: 'started'; readonly proxy: RunningProxy }
  | { readonly kind: 'failed'; readonly problems: readonly string[] };

export async function startProxy(options: StartOptions): Promise<StartResult> {
  const noLog = options.log === undefined ? logProblem(options.loaded.plan) : null;
  if (noLog !== null) return { kind: 'failed', problems: [noLog] };
  const proxy = new RunningProxy(options, await createServiceManager(options.env, systemClock));
  const problems = await proxy.start();
  return problems.length === 0 ? { kind: 'started', proxy } : { kind: 'failed', problems };
}

export class RunningProxy {
  readonly report: Report;
  readonly #options: StartOptions;
  readonly #clock: Clock = systemClock;
  readonly #runtime: Runtime;
  readonly #telemetry: ProcessTelemetry;
  readonly #planeRef: PlaneRef;
  readonly #listeners: Listeners;
  readonly #shutdown: Shutdown;
  readonly #reloader: Reloader;
  readonly #manager: ServiceManager;
  readonly #certificates: CertificateWatch;
  readonly #overload: { readonly overload: Overload; readonly watch: OverloadWatch };
  readonly #stopped = Promise.withResolvers<number>();
  readonly #startedMs: number;
  #plan: Plan;
  #origins: ReadonlyMap<string, string>;
  #secrets: readonly string[];
  #watcher: ConfigWatcher | null = null;
  #admin: { address: string; close: () => Promise<void> } | null = null;
  #phase: ProcessPhase = 'starting';
  readonly #history = new PlanHistory();
  readonly #probation: Probation;
  readonly #operator: Operator;
  readonly #pulse: Pulse;
  readonly #untaken: UntakenAnswers;
  #lastReload: { at: string; trigger: ReloadTrigger; result: ReloadResult } | null = null;
  /** Of the plan that the file held when it was last taken over. */
  #fileDigest: string;
  #onIdle: (() => void) | null = null;

  constructor(options: StartOptions, manager: ServiceManager) {
    this.#options = options;
    this.#manager = manager;
    this.#plan = options.loaded.plan;
    this.#origins = options.loaded.origins;
    this.#secrets = options.loaded.secrets;
    this.#fileDigest = this.#plan.digest;
    this.#startedMs = this.#clock.nowMs();
    const metrics = new Metrics(readVersion());
    const log =
      options.log ??
      new BufferedDestination(logTarget(this.#plan), this.#clock, () => metrics.logLineDropped());
    this.#telemetry = new ProcessTelemetry(this.#plan.logging, log, metrics, this.#clock, systemRandom);
    const traffic: Traffic = {
      active: new ActiveRequests(),
      tunnels: 0,
      finished: 0,
      failed: 0,
      draining: false,
      onIdle: () => this.#onIdle?.(),
    };
    this.#runtime = {
      clock: this.#clock,
      random: systemRandom,
      telemetry: this.#telemetry,
      metrics,
      registry: new StateRegistry(this.#clock),
      resolver: new Resolver(options.lookUp ?? systemLookUp, this.#clock, systemRandom),
      connections: new ConnectionTable(this.#clock),
      traffic,
    };
    this.#planeRef = { current: assemblePlane(this.#plan, this.#origins, this.#runtime) };
    this.#runtime.registry.retainUsed();
    metrics.retainUsed();
    const overload = new Overload(this.#plan.process.overload, change =>
      this.#telemetry.emit({ kind: 'overload', ...change }),
    );
    this.#overload = { overload, watch: new OverloadWatch(overload, this.#clock, options.heapRatio) };
    const services: Services = {
      planeRef: this.#planeRef,
      clock: this.#clock,
      random: systemRandom,
      telemetry: this.#telemetry,
      traffic,
      instanceId: randomBytes(4).toString('hex'),
      overload,
      isReady: () => this.report.readiness().ready,
    };
    this.#listeners = new Listeners(
      services,
      this.#runtime.connections,
      () => this.#plan.process.connectionsMax,
    );
    this.#shutdown = new Shutdown(this.#drainable(), this.#clock);
    this.#reloader = new Reloader(this.#reloadable());
    this.#pulse = new Pulse(traffic, metrics.figures, metrics.overheadFigures, this.#clock);
    this.#untaken = new UntakenAnswers(traffic.active, this.#clock);
    this.#operator = new Operator(this.#planeRef, this.#telemetry, this.#clock);
    this.#probation = new Probation(
      traffic,
      () => metrics.figures.counts(this.#clock.nowMs()),
      this.#clock,
      why => {
        this.#telemetry.emit({ kind: 'warning', message: `${why}: going back to the plan before` });
        void this.#rollback('probation', null, this.#plan.digest);
      },
    );
    this.#certificates = new CertificateWatch(this.#clock, event => this.#telemetry.emit(event));
    this.report = new Report(this.#reported());
    metrics.observe(runtimeView(this.#planeRef, this.#runtime, this.#certificates, overload));
  }

  get addresses(): ReadonlyMap<string, string> {
    return this.#listeners.addresses;
  }
  get adminAddress(): string | null {
    return this.#admin?.address ?? null;
  }
  /** The exit code, when the process has nothing left to do. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** What stands in the way of serving; empty: it serves. */
  async start(): Promise<readonly string[]> {
    const problems = await this.#listeners.prepare(this.#plan.listeners);
    if (problems.length === 0) problems.push(...(await this.#openAdmin()));
    if (problems.length > 0) {
      await this.#listeners.discard();
      this.#runtime.registry.dispose();
      return problems;
    }
    this.#telemetry.setExport(this.#plan.tracing.otlp, readVersion());
    this.#telemetry.emit({ kind: 'started', version: readVersion(), plan: this.#plan.digest });
    this.#listeners.commit(this.#plan.listeners, this.#plan.process.drain.timeoutMs);
    this.#certificates.watch(Object.values(this.#plan.listeners));
    this.#history.remember(this.#options.loaded, this.#clock.wallMs());
    this.#watch(this.#options.loaded.files);
    this.#enterPhase('serving', null);
    this.#manager.ready(`serving on ${[...this.addresses.values()].join(', ')}`);
    return [];
  }

  reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    return this.#changing(() => this.#reloader.request(trigger));
  }

  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<ReloadResult> {
    return this.#rollback('rollback', digest, null);
  }

  /** `from`: only if that one still runs then. */
  #rollback(trigger: 'rollback' | 'probation', to: string | null, from: string | null) {
    return this.#changing(() => this.#reloader.rollback(trigger, to, from));
  }

  /** The service manager hears of it, unless it has been told of the end already. */
  async #changing(change: () => Promise<ReloadResult>): Promise<ReloadResult> {
    if (this.#phase === 'serving') this.#manager.reloading();
    const result = await change();
    if (this.#phase === 'serving') this.#manager.ready(this.#reloadText());
    return result;
  }

  /** `cause` is who wants it. A second call forces. Resolves to the exit code. */
  async drain(cause: string): Promise<number> {
    const exitCode = await this.#shutdown.begin(this.#plan.process.drain, cause);
    await this.#telemetry.flush(); // the very last line too
    this.#stopped.resolve(exitCode);
    return exitCode;
  }

  /** Without ceremony: only the line that says so gets out. */
  async stopNow(cause: string): Promise<void> {
    this.#enterPhase('stopped', cause);
    const enough = new Promise<void>(resolve => void this.#clock.setTimer(resolve, LAST_LINE_MS, undefined));
    await Promise.race([this.#telemetry.flush(), enough]);
  }

  reopenLogs(): void {
    if (this.#plan.logging.file === null)
      this.warn('SIGUSR1: the log goes to standard output, there is no logging.file to open again');
    else this.#telemetry.reopen();
  }

  noteDefect(error: unknown): void {
    this.#telemetry.emit({ kind: 'defect', requestId: null, detail: describeDefect(error) });
  }

  warn(message: string): void {
    this.#telemetry.emit({ kind: 'warning', message });
  }

  // ---- parts

  async #openAdmin(): Promise<string[]> {
    const { address } = this.#plan.admin;
    if (address === null) return [];
    if (address.kind === 'fd')
      return ['admin.address: an inherited descriptor is not supported for the admin API'];
    try {
      const { token } = this.#plan.admin;
      this.#admin = await openAdminApi(address, token, this.#clock, this.report, this.#adminActions());
      return [];
    } catch (error) {
      return [`admin API: cannot listen on ${formatAddress(address)}: ${bindAdvice(error)}`];
    }
  }

  #adminActions(): AdminActions {
    const operator = this.#operator;
    return {
      reload: () => this.reload('admin'),
      rollback: digest => this.rollback(digest),
      drain: () => void this.drain('the admin API'),
      setLogLevel: (level, forMs) => operator.setLogLevel(level, forMs),
      setEndpoint: (cluster, endpoint, action) => operator.setEndpoint(cluster, endpoint, action),
      audit: entry => this.#telemetry.emit({ kind: 'audit', ...entry }),
    };
  }

  #watch(files: FileStates): void {
    if (!this.#plan.process.reload.watch) {
      this.#watcher?.close();
      this.#watcher = null;
    } else if (this.#watcher === null)
      this.#watcher = new ConfigWatcher(files, this.#clock, () => void this.reload('watch'));
    else this.#watcher.setFiles(files);
  }

  #reported(): Reported {
    const proxy = this;
    return {
      get plan() {
        return proxy.#plan;
      },
      get origins() {
        return proxy.#origins;
      },
      get secrets() {
        return proxy.#secrets;
      },
      get phase() {
        return proxy.#phase;
      },
      get isFromFile() {
        return proxy.#plan.digest === proxy.#fileDigest;
      },
      get lastReload() {
        return proxy.#lastReload;
      },
      get addresses() {
        return proxy.addresses;
      },
      planeRef: this.#planeRef,
      runtime: this.#runtime,
      telemetry: this.#telemetry,
      history: this.#history,
      overload: this.#overload.overload,
      pulse: this.#pulse,
      startedMs: this.#startedMs,
    };
  }

  #enterPhase(phase: ProcessPhase, cause: string | null): void {
    this.#telemetry.emit({
      kind: 'phase_changed',
      from: this.#phase,
      to: phase,
      inFlight: this.#runtime.traffic.active.size,
      cause,
    });
    this.#phase = phase;
  }

  #reloadText(): string {
    const result = this.#lastReload?.result;
    return result?.kind === 'rejected'
      ? `reload failed: ${result.problems[0] ?? ''}; the plan before goes on`
      : `serving plan ${this.#plan.digest.slice(0, 12)}`;
  }

  // ---- what reload and shutdown do to the process

  #reloadable(): ConstructorParameters<typeof Reloader>[0] {
    const proxy = this;
    return {
      get plan() {
        return proxy.#plan;
      },
      get isServing() {
        return proxy.#phase === 'serving';
      },
      load: async () => {
        const result = this.#overload.watch.ownWork(() =>
          loadConfig(this.#options.configFile, this.#options.env),
        );
        if (result.kind === 'invalid') this.#watcher?.addFiles(result.files);
        return result;
      },
      older: digest => this.#history.find(digest),
      openListeners: next => this.#listeners.prepare(next.listeners),
      discardListeners: () => this.#listeners.discard(),
      apply: (next, isOlder) => this.#overload.watch.ownWork(() => this.#apply(next, isOlder)),
      confirm: same => {
        this.#origins = same.origins;
        this.#secrets = same.secrets;
        this.#planeRef.current = { ...this.#planeRef.current, origins: same.origins };
        this.#history.refresh(same);
        this.#fileDigest = same.plan.digest;
        this.#watch(same.files);
      },
      describe: (problem: Problem) => `${formatPlace(problem)}: ${formatMessage(problem)}`,
      report: (trigger, result, tookMs) => {
        const isRollback = trigger === 'rollback' || trigger === 'probation';
        if (!isRollback || result.kind === 'applied')
          this.#lastReload = { at: new Date(this.#clock.wallMs()).toISOString(), trigger, result };
        if (result.kind === 'applied')
          this.#probation.begin(isRollback ? null : this.#plan.process.reload.probation);
        this.#telemetry.emit({
          kind: isRollback ? 'rollback' : 'reload',
          trigger,
          result: result.kind,
          plan: result.digest,
          problems: result.kind === 'rejected' ? result.problems : [],
          tookMs: Math.round(tookMs),
        });
      },
      nowMs: () => this.#clock.nowMs(),
    };
  }

  #apply(next: LoadedPlan, isOlder: boolean): void {
    const plane = assemblePlane(next.plan, next.origins, this.#runtime);
    this.#plan = next.plan;
    this.#origins = next.origins;
    this.#secrets = next.secrets;
    this.#telemetry.setSettings(this.#plan.logging);
    this.#telemetry.setExport(this.#plan.tracing.otlp, readVersion());
    this.#overload.overload.setSettings(this.#plan.process.overload);
    this.#planeRef.current = plane;
    this.#listeners.commit(this.#plan.listeners, this.#plan.process.drain.timeoutMs);
    this.#certificates.watch(Object.values(this.#plan.listeners));
    this.#runtime.registry.retainUsed();
    this.#runtime.metrics.retainUsed();
    this.#history.remember(next, this.#clock.wallMs());
    if (!isOlder) this.#fileDigest = next.plan.digest;
    // An older plan must not be taken back because the file is newer than it.
    this.#watch(isOlder ? lookAt([...next.files.keys()]) : next.files);
  }

  #drainable(): ConstructorParameters<typeof Shutdown>[0] {
    const { traffic, connections, registry } = this.#runtime;
    return {
      enterPhase: (phase, cause) => this.#enterPhase(phase, cause),
      announce: () => {
        this.#manager.stopping();
        const { delayMs, timeoutMs } = this.#plan.process.drain;
        this.#manager.extendTimeout(delayMs + timeoutMs + STOP_MARGIN_MS);
        this.#watcher?.close();
        this.#probation.end();
        traffic.draining = true;
        this.#listeners.goAway();
      },
      stopAccepting: () => this.#listeners.stopAccepting(),
      closeIdleConnections: () => {
        connections.closeNew(NEW_MS_MAX);
        this.#clock.setTimer(() => connections.closeNew(0), NEW_MS_MAX, undefined);
        this.#listeners.drain();
      },
      idle: () =>
        new Promise(done => {
          const look = () => {
            if (traffic.active.size === 0 && connections.size === 0) done();
          };
          this.#onIdle = look;
          connections.onEmpty = look;
          look();
        }),
      abortRequests: () => {
        for (const request of traffic.active.list()) request.fail({ kind: 'shutting_down' });
      },
      release: async () => {
        registry.dispose();
        this.#certificates.dispose();
        this.#overload.watch.dispose();
        this.#pulse.dispose();
        this.#untaken.dispose();
        this.#operator.dispose();
        this.#listeners.close();
        connections.closeAll();
        await this.#admin?.close();
        this.#manager.stop();
      },
    };
  }
}
