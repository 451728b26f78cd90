/**
 * Node opens its debugger on 127.0.0.1:9229 on SIGUSR1, which means "reopen the log" here. Our handler prevents that
 * (`signals.ts`); a debugger that an earlier signal has opened is closed again. The option `--disable-sigusr1` does
 * not help: with it Node blocks the signal, and no handler gets it (docs/decisions/0008).
 */
import inspector from 'node:inspector';
import type { Clock } from '../resilience/clock.ts';

const LOOK_EVERY_MS = 50;
/** One such signal opens the debugger twice, the second time some turns of the event loop after the first. */
const LOOKS = 40;

/**
 * Closes a debugger that was not requested on the command line, for as long as a signal before the first line has an
 * effect.
 */
export function keepDebuggerClosed(clock: Clock): void {
  const asked = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some(arg =>
    arg.includes('--inspect'),
  );
  if (!asked) look(clock, LOOKS);
}

function look(clock: Clock, left: number): void {
  if (inspector.url() !== undefined) inspector.close();
  if (left > 0) clock.setTimer(() => look(clock, left - 1), LOOK_EVERY_MS, undefined);
}
