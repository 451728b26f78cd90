/** The steps of a shutdown (`shutdown.ts`) for the parts of the process. */
import { countByRoute } from '../http/active_requests.ts';
import type { ConfigFiles } from './config_files.ts';
import type { DrainReport } from './drain_progress.ts';
import type { Listeners } from './listeners.ts';
import type { PhaseKeeper } from './phase_keeper.ts';
import type { Probation } from './probation.ts';
import type { RunningRef } from './running_plan.ts';
import type { Runtime } from './runtime_state.ts';
import type { ServiceManager } from './service_manager.ts';
import type { Drainable, DrainResult, ProcessPhase } from './shutdown.ts';

/** Added to the longest drain when the service manager is told, because closing takes a moment. */
const STOP_MARGIN_MS = 10_000;
/** How long a connection that was accepted before the end may take to begin its first request. */
const NEW_MS_MAX = 1_000;

interface DrainParts {
  readonly running: RunningRef;
  readonly runtime: Runtime;
  readonly phase: PhaseKeeper;
  readonly manager: ServiceManager;
  readonly files: ConfigFiles;
  readonly probation: Probation;
  readonly listeners: Listeners;
  /** Timers and watches that end with the process. */
  readonly disposables: readonly { dispose(): void }[];
  readonly report: DrainReport;
  readonly closeAdmin: (result: DrainResult) => Promise<void>;
}

export class ProcessDrain implements Drainable {
  readonly #parts: DrainParts;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  enterPhase(phase: ProcessPhase, cause: string | null): void {
    this.#parts.phase.enter(phase, cause);
  }

  announce(): void {
    const { running, runtime, manager, report, files, probation, listeners } = this.#parts;
    const { delayMs, timeoutMs } = running.current.loaded.plan.process.drain;
    manager.stopping();
    manager.extendTimeout(delayMs + timeoutMs + STOP_MARGIN_MS);
    report.begin();
    files.close();
    probation.end();
    runtime.traffic.draining = true;
    listeners.goAway();
  }

  stopAccepting(): Promise<void> {
    return this.#parts.listeners.stopAccepting();
  }

  closeIdleConnections(): void {
    const { clock, connections } = this.#parts.runtime;
    connections.closeNew(NEW_MS_MAX);
    clock.setTimer(closeNew, NEW_MS_MAX, () => connections.closeNew(0));
    this.#parts.listeners.drain();
  }

  idle(): Promise<void> {
    const { traffic, connections } = this.#parts.runtime;
    return new Promise(done => {
      const look = () => {
        if (traffic.active.size === 0 && connections.size === 0) done();
      };
      traffic.onIdle = look;
      connections.onEmpty = look;
      look();
    });
  }

  abortRequests(): void {
    const { traffic, telemetry } = this.#parts.runtime;
    const left = traffic.active.list();
    if (left.length > 0)
      telemetry.emit({
        kind: 'requests_cut',
        listener: null,
        count: left.length,
        routes: countByRoute(left),
      });
    for (const request of left) request.fail({ kind: 'shutting_down' });
  }

  async release(result: DrainResult): Promise<void> {
    const { runtime, listeners, disposables, report, closeAdmin, manager } = this.#parts;
    runtime.registry.dispose();
    for (const part of disposables) part.dispose();
    listeners.close();
    runtime.connections.closeAll();
    report.dispose();
    await closeAdmin(result);
    manager.stop();
  }
}

function closeNew(close: () => void): void {
  close();
}
