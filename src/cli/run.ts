/** `fairlead run`: runs the proxy in the foreground until a signal ends it. */

import { Admin } from '../admin/admin.ts';
import { keepDebuggerClosed } from '../lifecycle/debugger.ts';
import { startProxy } from '../lifecycle/running_proxy.ts';
import type { Signals } from '../lifecycle/signals.ts';
import { releaseStartMemory } from '../lifecycle/start_memory.ts';
import { holdProcess, systemClock } from '../resilience/clock.ts';
import { nextTurn } from '../resilience/time_slices.ts';
import { EXIT } from './exit_codes.ts';
import { type Loaded, loadOrExplain } from './load.ts';

/** Called with the addresses of the listeners, by name, when all ports are open. */
type OnServing = (addresses: ReadonlyMap<string, string>) => void;

export async function runProxy(
  file: string,
  signals: Signals,
  onServing: OnServing = () => {},
): Promise<number> {
  await nextTurn(); // delivers signals that arrived while the code was loading
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  return serve({ file, loaded, withoutFile: null }, signals, onServing);
}

interface ToServe {
  readonly file: string;
  readonly loaded: Loaded;
  /** Null: `file` exists. Else why a reload cannot read it. */
  readonly withoutFile: string | null;
}

/** Serves a configuration that is loaded, until a signal ends it. */
export async function serve(
  { file, loaded, withoutFile }: ToServe,
  signals: Signals,
  onServing: OnServing,
): Promise<number> {
  keepDebuggerClosed(systemClock);
  await nextTurn(); // delivers signals that arrived while the configuration was loading; nothing is open yet
  signals.starting();
  const started = await startProxy({
    configFile: file,
    withoutFile,
    loaded,
    env: process.env,
    createAdmin: view => new Admin(view),
  });
  if (started.kind === 'failed') {
    for (const problem of started.problems) process.stderr.write(`fairlead: ${problem}\n`);
    return started.cause === 'log' ? EXIT.cannotCreate : EXIT.portTaken;
  }
  const { proxy } = started;
  onServing(proxy.addresses);
  releaseStartMemory(systemClock, () => proxy.runtime.connections.size === 0);
  const stopListening = signals.attach({
    drain: signal => void proxy.drain(signal),
    reload: () => void proxy.reload('signal'),
    stopNow: signal => void proxy.stopNow(signal).finally(() => process.exit(EXIT.no)),
    reopenLogs: () => proxy.reopenLogs(),
    ignored: signal => proxy.warn(`ignored ${signal}: fairlead has no use for this signal`),
  });
  // A defect costs the connection that met it, not the process (docs/decisions/0006).
  process.on('uncaughtException', error => proxy.noteDefect(error));
  const release = holdProcess(); // timers do not keep the process alive, and a drain must be able to finish
  const end = await proxy.stopped;
  release();
  stopListening();
  return end === 'clean' ? EXIT.ok : EXIT.no;
}
