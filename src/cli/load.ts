/** Loading a configuration for a command, and printing what is wrong with it. */
import { basename } from 'node:path';
import { type LoadResult, loadConfig } from '../config/loader.ts';
import { formatProblems, type Problem } from '../config/problems.ts';
import { wantsColor } from '../observability/terminal.ts';
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
  const color = process.stderr.isTTY === true && wantsColor(process.env);
  process.stderr.write(formatProblems(problems, source, { color }));
}

export function displayName(file: string): string {
  return basename(file);
}
