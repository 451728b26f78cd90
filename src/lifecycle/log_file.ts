/** The destination of the log, and whether it can be written. */
import { closeSync, openSync } from 'node:fs';
import type { Plan } from '../config/plan.ts';

export function logTarget({ logging: { file } }: Plan) {
  return file === null ? { fd: process.stdout.fd } : { file };
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
