/**
 * The entry. Signals are listened to before anything else is loaded: that takes a third of a second, in which a SIGHUP
 * or SIGUSR2 would end the process and a SIGTERM would end it without a word, or, as PID 1, be lost.
 */
import { Signals } from './lifecycle/signals.ts';

const words = process.argv.slice(2);
const signals = new Signals(process, code => process.exit(code));
if (words[0] === 'run' || words[0] === 'demo') signals.holdAll();
else signals.holdDebugger();

const { sizeThreadPool } = await import('./net/thread_pool.ts');
sizeThreadPool(process.env);
const { runCommandLine } = await import('./cli/command_line.ts');
// Whoever reads along may have read enough: `fairlead status --json | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await runCommandLine(words, signals);
