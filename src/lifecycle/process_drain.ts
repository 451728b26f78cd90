/** The steps of a shutdown (`shutdown.ts`) for the parts of the process. */
import type { ConfigFiles } from './config_files.ts';
import type { Listeners } from './listeners.ts';
import type { PhaseKeeper } from './phase_keeper.ts';
import type { Probation } from './probation.ts';
import type { RunningRef } from './running_plan.ts';
import type { Runtime } from './runtime_state.ts';
import type { ServiceManager } from './service_manager.ts';
import type { Drainable, ProcessPhase } from './shutdown.ts';

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
  readonly closeAdmin: () => Promise<void>;
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
    const { running, runtime, manager, files, probation, listeners } = this.#parts;
    const { delayMs, timeoutMs } = running.current.loaded.plan.process.drain;
    manager.stopping();
    manager.extendTimeout(delayMs + timeoutMs + STOP_MARGIN_MS);
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
    for (const request of this.#parts.runtime.traffic.active.list()) request.fail({ kind: 'shutting_down' });
  }

  async release(): Promise<void> {
    const { runtime, listeners, disposables, closeAdmin, manager } = this.#parts;
    runtime.registry.dispose();
    for (const part of disposables) part.dispose();
    listeners.close();
    runtime.connections.closeAll();
    await closeAdmin();
    manager.stop();
  }
}

function closeNew(close: () => void): void {
  close();
}
