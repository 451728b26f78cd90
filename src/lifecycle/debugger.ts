/**
 * Node opens its debugger on 127.0.0.1:9229 when it gets SIGUSR1, which means "open the log again" here. A handler of
 * ours prevents that (`signals.ts`); what a signal before the first line has opened is closed again. Not the option
 * `--disable-sigusr1`: with it Node blocks the signal, and no handler ever hears it (docs/decisions/0008).
 */
import inspector from 'node:inspector';
import type { Clock } from '../resilience/clock.ts';

const LOOK_EVERY_MS = 50;
/** One such signal opens the debugger twice, the second time some turns of the event loop after the first. */
const LOOKS = 40;

/** Closes what nobody has asked for on the command line, for as long as a signal before the first line has an effect. */
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
