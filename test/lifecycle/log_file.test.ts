// A log that cannot be written is found before anything begins.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { logProblem, logTarget } from '../../src/lifecycle/log_file.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';

const planWith = (file: string) => planOf(forwardTo(['127.0.0.1:1'], { logging: { file } }));

test('without a file the log goes to standard output', () => {
  const plan = planOf(forwardTo(['127.0.0.1:1']));
  assert.deepEqual([logTarget(plan, {}), logProblem(plan)], [{ fd: 1, terminal: null }, null]);
});

test('a log file in a missing folder is a problem with advice', context => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  context.after(() => rmSync(folder, { recursive: true }));
  assert.equal(logProblem(planWith(join(folder, 'fairlead.log'))), null);
  assert.match(
    String(logProblem(planWith(join(folder, 'missing', 'fairlead.log')))),
    /^logging\.file: ENOENT.*missing.*; its directory must exist and be writable$/,
  );
});
