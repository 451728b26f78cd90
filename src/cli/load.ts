/** Loading a configuration for a command, and printing what is wrong with it. */
import { basename } from 'node:path';
import { type LoadResult, loadConfig } from '../config/loader.ts';
import { formatProblems, type Problem } from '../config/problems.ts';
import { EXIT } from './exit_codes.ts';

export type Loaded = Extract<LoadResult, { kind: 'loaded' }>;

/** The loaded configuration, or the exit code after the problems were printed on standard error. */
export async function loadOrExplain(file: string): Promise<Loaded | number> {
  const result = await loadConfig(file, process.env);
  if (result.kind === 'unreadable') {
    process.stderr.write(`fairlead: ${result.message}\n`);
    return EXIT.noInput;
  }
  printProblems(result.kind === 'loaded' ? result.warnings : result.problems, result.source);
  return result.kind === 'loaded' ? result : EXIT.badConfig;
}

export function printProblems(problems: readonly Problem[], source: string): void {
  if (problems.length === 0) return;
  process.stderr.write(formatProblems(problems, source, { color: wantsColor() }));
}

/** Only a terminal gets colour, and not with NO_COLOR set (https://no-color.org). */
function wantsColor(): boolean {
  return process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}

export function displayName(file: string): string {
  return basename(file);
}
