/**
 * The meaning of each signal, from the first line of the program on. While the process still loads its code or starts,
 * signals are remembered and handled as soon as possible.
 *
 *   loading    nothing is open yet: SIGTERM ends the process at once, with code 0
 *   starting   ports are being bound: SIGTERM drains as soon as that is done
 *   attached   each signal is an action
 *
 * Imports nothing, because it is loaded before everything else.
 */

export interface SignalActions {
  /** SIGTERM and SIGINT: drain; a second one forces. */
  drain(signal: string): void;
  /** Called for SIGHUP. */
  reload(): void;
  /** Called for SIGQUIT: stops at once, without draining. */
  stopNow(signal: string): void;
  /** SIGUSR1: the log file was moved away. */
  reopenLogs(): void;
  /** SIGUSR2, which would end a process without a handler for it. */
  ignored(signal: string): void;
}

type State =
  | { readonly kind: 'loading' }
  | { readonly kind: 'starting'; drainBy: string | null }
  | { readonly kind: 'attached'; readonly actions: SignalActions };

const EXIT_OK = 0;
const EXIT_FORCED = 1;

export class Signals {
  readonly #source: NodeJS.EventEmitter;
  readonly #exit: (code: number) => void;
  readonly #handlers: readonly [NodeJS.Signals, (signal: string) => void][] = [
    ['SIGTERM', signal => this.#onDrain(signal)],
    ['SIGINT', signal => this.#onDrain(signal)],
    ['SIGHUP', () => this.#onReload()],
    ['SIGQUIT', signal => this.#onStopNow(signal)],
    ['SIGUSR1', () => this.#attached()?.reopenLogs()], // a log that is about to be opened is the new one
    ['SIGUSR2', signal => this.#attached()?.ignored(signal)],
  ];
  #state: State = { kind: 'loading' };
  /** One reload for any number of signals: it reads the file as it is then. */
  #reloadWanted = false;

  constructor(source: NodeJS.EventEmitter, exit: (code: number) => void) {
    this.#source = source;
    this.#exit = exit;
  }

  /** For a command that serves. */
  holdAll(): void {
    for (const [signal, handler] of this.#handlers) this.#source.on(signal, handler);
  }

  /** For a command that ends by itself: every signal has its default effect, except that none opens Node's debugger. */
  holdDebugger(): void {
    this.#source.on('SIGUSR1', () => {});
  }

  /** From here on a SIGTERM waits for the end of the start, because clients may be connected already. */
  starting(): void {
    this.#state = { kind: 'starting', drainBy: null };
  }

  /** The process serves: handles the remembered signals. The returned function detaches. */
  attach(actions: SignalActions): () => void {
    const drainBy = this.#state.kind === 'starting' ? this.#state.drainBy : null;
    this.#state = { kind: 'attached', actions };
    if (drainBy !== null) actions.drain(drainBy);
    else if (this.#reloadWanted) actions.reload();
    return () => {
      for (const [signal, handler] of this.#handlers) this.#source.off(signal, handler);
    };
  }

  #attached(): SignalActions | null {
    return this.#state.kind === 'attached' ? this.#state.actions : null;
  }

  #onDrain(signal: string): void {
    const state = this.#state;
    switch (state.kind) {
      case 'loading':
        this.#exit(EXIT_OK);
        break;
      case 'starting':
        if (state.drainBy === null) state.drainBy = signal;
        else this.#exit(EXIT_FORCED);
        break;
      case 'attached':
        state.actions.drain(signal);
    }
  }

  #onReload(): void {
    if (this.#state.kind === 'attached') this.#state.actions.reload();
    else this.#reloadWanted = true;
  }

  #onStopNow(signal: string): void {
    if (this.#state.kind === 'attached') this.#state.actions.stopNow(signal);
    else this.#exit(EXIT_FORCED);
  }
}
