/** `fairlead check`: loads the configuration as `run` does, but opens no port. */
import { loadConfig } from '../config/loader.ts';
import { EXIT } from './exit_codes.ts';
import { displayName, printProblems } from './load.ts';

export async function runCheck(file: string, json: boolean): Promise<number> {
  const result = await loadConfig(file, process.env);
  if (result.kind === 'unreadable') {
    process.stderr.write(`fairlead: ${result.message}\n`);
    if (json)
      printJson({ valid: false, digest: null, problems: [{ severity: 'error', message: result.message }] });
    return EXIT.noInput;
  }
  const problems = result.kind === 'loaded' ? result.warnings : result.problems;
  const valid = result.kind === 'loaded';
  if (json) {
    printJson({ valid, digest: valid ? result.plan.digest : null, problems });
    return valid ? EXIT.ok : EXIT.badConfig;
  }
  printProblems(problems, result.source);
  const warnings = problems.filter(problem => problem.severity === 'warning').length;
  const errors = problems.length - warnings;
  const verdict = valid ? 'valid' : 'invalid';
  process.stdout.write(
    `${displayName(file)}: ${verdict} (${plural(errors, 'error')}, ${plural(warnings, 'warning')})\n`,
  );
  return valid ? EXIT.ok : EXIT.badConfig;
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
