/** The phase of the process; each change is an event. */
import type { Runtime } from './runtime_state.ts';
import type { ProcessPhase } from './shutdown.ts';

export class PhaseKeeper {
  readonly #runtime: Runtime;
  #current: ProcessPhase = 'starting';

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get current(): ProcessPhase {
    return this.#current;
  }

  /** `cause` null: it is the next phase in order. */
  enter(phase: ProcessPhase, cause: string | null): void {
    const { telemetry, traffic } = this.#runtime;
    telemetry.emit({
      kind: 'phase_changed',
      from: this.#current,
      to: phase,
      inFlight: traffic.active.size,
      cause,
    });
    this.#current = phase;
  }
}
