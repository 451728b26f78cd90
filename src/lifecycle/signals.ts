/** What each signal asks for (CONTRACT section 6). */

export interface SignalActions {
  /** SIGTERM and SIGINT: drain; a second one forces. */
  drain(): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGQUIT: no ceremony. */
  stopNow(): void;
  /** SIGUSR1: the log file was moved away. */
  reopenLogs(): void;
}

/** Starts to listen; the function it returns stops again. */
export function listenToSignals(actions: SignalActions, source: NodeJS.EventEmitter = process): () => void {
  const handlers: readonly [NodeJS.Signals, () => void][] = [
    ['SIGTERM', () => actions.drain()],
    ['SIGINT', () => actions.drain()],
    ['SIGHUP', () => actions.reload()],
    ['SIGQUIT', () => actions.stopNow()],
    ['SIGUSR1', () => actions.reopenLogs()],
  ];
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}
