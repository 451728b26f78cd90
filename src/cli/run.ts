/** `fairlead run`: serve in the foreground until a signal. */

import { Admin } from '../admin/admin.ts';
import { keepDebuggerClosed } from '../lifecycle/debugger.ts';
import type { Signals } from '../lifecycle/signals.ts';
import { startProxy } from '../lifecycle/startup.ts';
import { holdProcess, systemClock } from '../resilience/clock.ts';
import { EXIT } from './exit_codes.ts';
import { loadOrExplain } from './load.ts';

export async function runProxy(file: string, signals: Signals): Promise<number> {
  keepDebuggerClosed(systemClock);
  await turn(); // signals that came while the code was loaded
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  await turn(); // and while the configuration was: nothing is open yet
  signals.starting();
  const started = await startProxy({
    configFile: file,
    loaded,
    env: process.env,
    createAdmin: view => new Admin(view),
  });
  if (started.kind === 'failed') {
    for (const problem of started.problems) process.stderr.write(`fairlead: ${problem}\n`);
    return EXIT.portTaken;
  }
  const { proxy } = started;
  const stopListening = signals.attach({
    drain: signal => void proxy.drain(signal),
    reload: () => void proxy.reload('signal'),
    stopNow: signal => void proxy.stopNow(signal).finally(() => process.exit(EXIT.no)),
    reopenLogs: () => proxy.reopenLogs(),
    ignored: signal => proxy.warn(`${signal} was ignored: it means nothing here`),
  });
  // One connection has met a defect of ours; the others know nothing of it (docs/decisions/0006).
  process.on('uncaughtException', error => proxy.noteDefect(error));
  const release = holdProcess(); // timers alone do not: a drain must come to its end
  const end = await proxy.stopped;
  release();
  stopListening();
  return end === 'clean' ? EXIT.ok : EXIT.no;
}

/** One round of the event loop, in which signals are read. */
function turn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve));
}
