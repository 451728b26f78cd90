/** The destination of the log, and whether it can be written. */
import { closeSync, openSync } from 'node:fs';
import type { Environment } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import { terminalAt } from '../observability/terminal.ts';

/** What kind of thing standard output is is only known here, while the plan says what to do about it. */
export function logTarget({ logging: { file } }: Plan, env: Environment) {
  const { fd } = process.stdout;
  return file === null ? { fd, terminal: terminalAt(fd, env) } : { file };
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
