/**
 * The entry. Signal handlers are installed before anything else is loaded. Loading takes a fifth of a second, in which a
 * SIGHUP, SIGUSR2 or SIGTERM would kill the process without a log line, or, as PID 1, be lost.
 */
import { isServing } from './cli/serving_commands.ts';
import { Signals } from './lifecycle/signals.ts';

const words = process.argv.slice(2);
const signals = new Signals(process, code => process.exit(code));
if (isServing(words[0])) signals.holdAll();
else signals.holdDebugger();

const { keepCompiled } = await import('./lifecycle/compile_cache.ts');
keepCompiled(process.env);
const { sizeThreadPool } = await import('./net/thread_pool.ts');
sizeThreadPool(process.env);
const { runCommandLine } = await import('./cli/command_line.ts');
// The reader of a pipe may close it early: `fairlead status --json | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await runCommandLine(words, signals);
