/**
 * Runs the tests by chance for as long as it is told: `npm run fuzz -- [--minutes 10] [FILE ...]`.
 *
 * Each file takes its turn with a new seed, until the time is over. A failure prints the seed that repeats it, and ends the run.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Of each test of a file, before another seed takes its turn. */
const TURN_MS = 20_000;
const SEEDS = 2 ** 31;

function main(): number {
  const { values, positionals } = parseArgs({
    options: { minutes: { type: 'string', default: '10' } },
    allowPositionals: true,
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    console.error('scripts/fuzz.ts: --minutes takes a number above 0');
    return 1;
  }
  const files =
    positionals.length > 0 ? positionals : globSync('test/**/*_fuzz.test.ts', { cwd: ROOT }).sort();
  const untilMs = performance.now() + minutes * 60_000;
  for (let turn = 0; performance.now() < untilMs; turn++) {
    const file = files[turn % files.length] ?? '';
    const seed = Math.floor(Math.random() * SEEDS);
    const code = runFile(file, seed);
    if (code === 0) continue;
    console.error(`\nFAILED; to repeat it: FUZZ_SEED=${seed} FUZZ_MS=${TURN_MS} node --test ${file}`);
    return code;
  }
  return 0;
}

/** One line for each test: its name has the seed; the rounds it made are printed before. */
function runFile(file: string, seed: number): number {
  const env = { ...process.env, FUZZ_SEED: String(seed), FUZZ_MS: String(TURN_MS) };
  const args = ['--disable-warning=ExperimentalWarning', '--test-reporter=spec', file];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const lines = stdout.split('\n').filter(line => status !== 0 || /✔|✖|rounds with seed/.test(line));
  console.log(`${file}\n  ${lines.join('\n  ')}`);
  if (status !== 0) console.error(stderr);
  return status ?? 1;
}

process.exitCode = main();
