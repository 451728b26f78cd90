/** `fairlead run`: serve in the foreground until a signal. */

import { holdProcess } from '../../resilience/clock.ts';
import { EXIT } from '../exit_codes.ts';
import { listenToSignals } from '../signals.ts';
import { startProxy } from '../startup.ts';
import { loadOrExplain } from './load.ts';

export async function runProxy(file: string): Promise<number> {
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  const started = await startProxy({ configFile: file, loaded, env: process.env });
  if (started.kind === 'failed') {
    for (const problem of started.problems) process.stderr.write(`fairlead: ${problem}\n`);
    return EXIT.portTaken;
  }
  const { proxy } = started;
  const stopListening = listenToSignals({
    drain: signal => void proxy.drain(signal),
    reload: () => void proxy.reload('signal'),
    stopNow: signal => void proxy.stopNow(signal).finally(() => process.exit(EXIT.no)),
    reopenLogs: () => proxy.reopenLogs(),
    ignored: signal => proxy.warn(`${signal} was ignored: it means nothing here`),
  });
  // One connection has met a defect of ours; the others know nothing of it (docs/decisions/0006).
  process.on('uncaughtException', error => proxy.noteDefect(error));
  const release = holdProcess(); // timers alone do not: a drain must come to its end
  const exitCode = await proxy.stopped;
  release();
  stopListening();
  return exitCode;
}
