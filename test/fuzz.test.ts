// `npm run fuzz`: what it finds can be repeated.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support/proxy_under_test.ts';

function fuzz(...args: readonly string[]) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // of the runner of this test
  const all = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts/fuzz.ts'), ...args];
  return spawnSync(process.execPath, all, { cwd: ROOT, env, encoding: 'utf8' });
}

test('a failure under chance ends the run, and says how to repeat it', () => {
  const { status, stderr } = fuzz('--minutes', '1', 'test/support/runner/fixtures/fails.ts');
  assert.notEqual(status, 0);
  assert.match(stderr, /FUZZ_SEED=\d+ FUZZ_MS=\d+ node --test test\/support\/runner\/fixtures\/fails\.ts/);
});

test('a run under chance that finds nothing ends well when its time is over', () => {
  const { status, stdout } = fuzz('--minutes', '0.0001', 'test/support/runner/fixtures/passes.ts');
  assert.equal(status, 0);
  assert.match(stdout, /✔/);
});

test('a time that is none is refused', () => {
  assert.equal(fuzz('--minutes', 'x').status, 1);
});
