/**
 * Runs the tests: `node test/run.ts [--phase N] [--storm] [--limit-ms N] [FILE or FOLDER ...]`.
 *
 * Without arguments: everything below test/. First what can share the machine, a few files at a time; then the files of
 * `IN_THE_STORM` once more while plans are swapped (test/support/plan_storm.ts; `--storm FILE` does only that); then the
 * phase suites, the packages and testssl.sh, one by one, because they measure or take the whole machine. One line for each file;
 * the output of a file is shown when it fails. The closing lines are those of node:test, for whoever reads them by program.
 */
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PLAN_STORM } from './support/plan_storm_variable.ts';
import { COUNTS, type FileResult, killAll, runTestFile } from './support/runner/test_file.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIMIT_MS = 120_000;
const PHASE_LIMIT_MS = 600_000;

/** Traffic of every kind, and no reload, file or timing of its own. */
const IN_THE_STORM = [
  'test/conformance/*.test.ts',
  'test/integration/{abusive_clients,attempt_races,every_reason,health,hostile_frames,http2_upstream,hostile_clients,real_clients,tiny_limits}.test.ts',
  'test/phases/phase_{2_routing,3_forwarding}.test.ts',
  'test/security/smuggling*.test.ts',
];

interface Choice {
  readonly together: readonly string[];
  readonly inTheStorm: readonly string[];
  readonly alone: readonly string[];
  readonly limitMs: number | null;
}

function choose(args: readonly string[]): Choice | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { phase: { type: 'string' }, storm: { type: 'boolean' }, 'limit-ms': { type: 'string' } },
    allowPositionals: true,
  });
  const limitMs = values['limit-ms'] === undefined ? null : Number(values['limit-ms']);
  if (limitMs !== null && !(limitMs > 0)) return '--limit-ms takes a number above 0';
  if (values.phase !== undefined) {
    const alone = find(`test/phases/phase_${values.phase}_*.test.ts`);
    const phases = find('test/phases/phase_*.test.ts').map(path => /phase_(\w+?)_/.exec(path)?.[1]);
    if (alone.length === 0)
      return `there is no phase ${values.phase}; there are: ${[...new Set(phases)].join(', ')}`;
    return { together: [], inTheStorm: [], alone, limitMs };
  }
  const inTheStorm =
    values.storm && positionals.length > 0 ? positionals.flatMap(expand) : find(IN_THE_STORM);
  if (values.storm) return { together: [], inTheStorm, alone: [], limitMs };
  const files = positionals.length === 0 ? find('test/**/*.test.ts') : positionals.flatMap(expand);
  if (files.length === 0) return 'there is no such test';
  const isAlone = (path: string) => /^test\/(?:phases|packaging)\/|\/testssl\.test\.ts$/.test(path);
  return {
    together: files.filter(path => !isAlone(path)),
    inTheStorm: positionals.length === 0 ? inTheStorm : [],
    alone: files.filter(isAlone),
    limitMs,
  };
}

function find(pattern: string | string[]): string[] {
  return globSync(pattern, { cwd: ROOT }).sort();
}

/** A file as it is; a folder by its tests. */
function expand(path: string): string[] {
  const inRoot = relative(ROOT, join(process.cwd(), path));
  return statSync(path).isDirectory() ? find(`${inRoot}/**/*.test.ts`) : [inRoot];
}

async function runAll(
  paths: readonly string[],
  atOnce: number,
  limitMs: number,
  isStormy = false,
): Promise<FileResult[]> {
  const waiting = [...paths];
  const results: FileResult[] = [];
  const worker = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const result = isStormy
        ? inTheStorm(await runTestFile(path, limitMs, { [PLAN_STORM]: '1' }))
        : await runTestFile(path, limitMs);
      results.push(result);
      show(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function inTheStorm(result: FileResult): FileResult {
  return { ...result, path: `${result.path}, plan storm` };
}

function show({ path, counts, skipped, problem, output, tookMs }: FileResult): void {
  const facts = `${counts.tests} ${counts.tests === 1 ? 'test' : 'tests'}, ${Math.round(tookMs)} ms`;
  if (problem === null) console.log(`✔ ${path} (${facts})`);
  else console.log(`✖ ${path} (${facts}): ${problem}\n${output.trimEnd().replace(/^/gm, '  ')}`);
  for (const { name, reason } of skipped) console.log(`  ﹣ skipped: ${name} # ${reason}`);
}

function summarise(results: readonly FileResult[], tookMs: number): number {
  const skipped = results.flatMap(result => result.skipped.map(skip => ({ ...skip, path: result.path })));
  const failed = results.filter(({ problem }) => problem !== null);
  console.log('');
  for (const { path, name, reason } of skipped) console.log(`﹣ skipped: ${path}: ${name} # ${reason}`);
  for (const { path, problem } of failed) console.log(`✖ ${path}: ${problem}`);
  for (const what of COUNTS) {
    console.log(`ℹ ${what} ${results.reduce((sum, { counts }) => sum + counts[what], 0)}`);
  }
  console.log(`ℹ duration_ms ${tookMs.toFixed(3)}`);
  return failed.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const choice = choose(process.argv.slice(2));
  if (typeof choice === 'string') {
    console.error(`test/run.ts: ${choice}`);
    return 1;
  }
  process.on('exit', killAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  process.chdir(ROOT);
  const startedAtMs = performance.now();
  const atOnce = Math.max(2, availableParallelism());
  const results = [
    ...(await runAll(choice.together, atOnce, choice.limitMs ?? LIMIT_MS)),
    ...(await runAll(choice.inTheStorm, atOnce, choice.limitMs ?? LIMIT_MS, true)),
    ...(await runAll(choice.alone, 1, choice.limitMs ?? PHASE_LIMIT_MS)),
  ];
  return summarise(results, performance.now() - startedAtMs);
}

process.exitCode = await main();
