/** What each signal asks for (CONTRACT section 6). */

export interface SignalActions {
  /** SIGTERM and SIGINT: drain; a second one forces. */
  drain(signal: string): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGQUIT: no ceremony. */
  stopNow(signal: string): void;
  /** SIGUSR1: the log file was moved away. */
  reopenLogs(): void;
  /** SIGUSR2, which would end a process that does not listen to it. */
  ignored(signal: string): void;
}

/** Starts to listen; the function it returns stops again. */
export function listenToSignals(actions: SignalActions, source: NodeJS.EventEmitter = process): () => void {
  const handlers: readonly [NodeJS.Signals, (signal: string) => void][] = [
    ['SIGTERM', signal => actions.drain(signal)],
    ['SIGINT', signal => actions.drain(signal)],
    ['SIGHUP', () => actions.reload()],
    ['SIGQUIT', signal => actions.stopNow(signal)],
    ['SIGUSR1', () => actions.reopenLogs()],
    ['SIGUSR2', signal => actions.ignored(signal)],
  ];
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}
