/** `fairlead check`: loads the configuration as `run` does, but opens no port. */

import { type ShadowResult, shadowRequestOf } from '../admin/shadow_check.ts';
import { loadConfig } from '../config/loader.ts';
import { readVersion } from '../lifecycle/version.ts';
import { counted } from '../observability/number_text.ts';
import type { AdminTarget } from './admin_client.ts';
import { EXIT } from './exit_codes.ts';
import { displayName, loadOrExplain, printProblems } from './load.ts';
import { refusedBy, withAdmin } from './with_admin.ts';

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
    `${displayName(file)}: ${verdict} (${counted(errors, 'error')}, ${counted(warnings, 'warning')})\n`,
  );
  return valid ? EXIT.ok : EXIT.badConfig;
}

/**
 * The file is checked as ever; then the running process matches its recent requests against it. Exit code 0: all of them
 * would go where they go now.
 */
export async function runShadowCheck(place: AdminTarget, file: string, json: boolean): Promise<number> {
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  return withAdmin(place, async admin => {
    const { status, body } = await admin.post('/shadow-check', shadowRequestOf(loaded.plan, readVersion()));
    if (status !== 200) return refusedBy(body);
    const result = body as ShadowResult;
    if (json) printJson(result);
    else process.stdout.write(shadowText(result));
    return result.elsewhere.length === 0 ? EXIT.ok : EXIT.no;
  });
}

function shadowText({ matched, elsewhere }: ShadowResult): string {
  const moved = elsewhere.reduce((sum, { count }) => sum + count, 0);
  const lines = [`${moved} of ${counted(matched, 'recent request')} would go elsewhere\n`];
  for (const { from, to, count, examples } of elsewhere) {
    lines.push(`  ${count} x  ${from} -> ${to}\n`);
    for (const example of examples) lines.push(`         ${example}\n`);
  }
  return lines.join('');
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
