/**
 * Configurations with what they become: `x.yaml` with `x.plan.json` and `x.origins.txt`, or with `x.problems.txt` (which
 * a valid one may have beside its plan, for warnings). `UPDATE_GOLDEN=1` writes them anew; then read the difference as
 * an operator would at three in the morning.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LoadResult, loadConfig } from '../../src/config/loader.ts';
import { formatProblems } from '../../src/config/problems.ts';
import { maskSecrets } from '../../src/config/shown_plan.ts';
import * as certificates from '../support/certificates.ts';

const GOLDEN = fileURLToPath(new URL('golden', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CERTIFICATES = dirname(certificates.server.certFile);
const UPDATE = process.env.UPDATE_GOLDEN === '1';

for (const file of globSync(`${GOLDEN}/*.yaml`).sort()) {
  test(`golden ${basename(file)}`, () => {
    const result = loadConfig(file, { GOLDEN_WORD: 'word' });
    compareAll(file.replace(/\.yaml$/, ''), result);
  });
}

for (const file of globSync(`${ROOT}/examples/*.yaml`).sort()) {
  test(`example ${basename(file)} is valid, without a warning`, () => {
    const result = loadConfig(file, { TLS_DIR: CERTIFICATES });
    assert.equal(textsOf(result).problems, null);
    compareAll(join(GOLDEN, 'examples', basename(file, '.yaml')), result);
  });
}

test('there are no results without their configuration', () => {
  for (const result of globSync(`${GOLDEN}/**/*.{plan.json,origins.txt,problems.txt}`)) {
    const name = basename(result).replace(/\.(?:plan\.json|origins\.txt|problems\.txt)$/, '.yaml');
    const folder = result.includes('/examples/') ? join(ROOT, 'examples') : GOLDEN;
    assert.ok(existsSync(join(folder, name)), `${result} belongs to nothing`);
  }
});

interface Texts {
  readonly plan: string | null;
  readonly origins: string | null;
  readonly problems: string | null;
}

/** Folders differ from machine to machine. */
function textsOf(result: LoadResult): Texts {
  assert(result.kind !== 'unreadable');
  const isLoaded = result.kind === 'loaded';
  const problems = isLoaded ? result.warnings : result.problems;
  const plan = isLoaded ? JSON.stringify({ ...maskSecrets(result.plan), digest: '' }, null, 2) : null;
  const origins = isLoaded
    ? [...result.origins.ofLeaves(result.plan)].map(([path, origin]) => `${path} ${origin}`).join('\n')
    : null;
  const shown = formatProblems(problems, result.source, { color: false });
  return {
    plan: plan === null ? null : `${plan.replaceAll(ROOT, '/checkout/')}\n`,
    origins: origins === null ? null : `${origins}\n`,
    problems: problems.length === 0 ? null : shown.replaceAll(ROOT, '/checkout/'),
  };
}

function compareAll(base: string, result: LoadResult): void {
  const { plan, origins, problems } = textsOf(result);
  compare(`${base}.plan.json`, plan);
  compare(`${base}.origins.txt`, origins);
  compare(`${base}.problems.txt`, problems);
}

function compare(file: string, actual: string | null): void {
  if (UPDATE && actual === null) rmSync(file, { force: true });
  if (UPDATE && actual !== null) writeFileSync(file, actual);
  const expected = existsSync(file) ? readFileSync(file, 'utf8') : null;
  if (actual === expected) return;
  // One line says more than two files.
  const [now, before] = [actual, expected].map(text => text?.split('\n') ?? []);
  const at = (now ?? []).findIndex((line, index) => line !== before?.[index]);
  assert.fail(
    `${basename(file)}:${at + 1} (UPDATE_GOLDEN=1 writes it anew)\n  is      ${now?.[at]}\n  was     ${before?.[at]}`,
  );
}
