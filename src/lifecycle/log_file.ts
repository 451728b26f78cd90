/** The destination of the log, and whether it can be written. */
import { closeSync, constants, openSync } from 'node:fs';
import type { Environment } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import { terminalAt } from '../observability/terminal.ts';

/** What kind of thing standard output is is only known here, while the plan says what to do about it. */
export function logTarget({ logging: { file } }: Plan, env: Environment) {
  if (file !== null) return { file };
  const { fd } = process.stdout;
  const terminal = terminalAt(fd, env);
  return { fd: terminal === null ? fd : nonBlocking(fd), terminal };
}

/**
 * A terminal that takes nothing more (Ctrl-S, a connection that hangs) would block a write for ever, and with it the end of
 * the process. It is opened again, because the mode of the descriptor itself is shared with the shell.
 */
function nonBlocking(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd; // of another user, after su
  }
}

/** Checks the log file before anything else is started. */
export function logProblem({ logging: { file } }: Plan): string | null {
  if (file === null) return null;
  try {
    closeSync(openSync(file, 'a'));
    return null;
  } catch (error) {
    return `logging.file: ${error instanceof Error ? error.message : String(error)}; its directory must exist and be writable`;
  }
}
