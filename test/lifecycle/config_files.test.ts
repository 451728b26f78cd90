import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lookAt } from '../../src/config/watcher.ts';
import { ConfigFiles } from '../../src/lifecycle/config_files.ts';
import { FakeClock } from '../support/fake_clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-files-'));
after(() => rmSync(folder, { recursive: true }));

function watched(name: string) {
  const clock = new FakeClock();
  let changes = 0;
  const files = new ConfigFiles(clock, () => changes++);
  const file = join(folder, name);
  writeFileSync(file, 'a');
  return { clock, files, file, changes: () => changes };
}

test('a change is told once it has come to rest, and none while the plan wants no watching', () => {
  const { clock, files, file, changes } = watched('one');
  files.watch(lookAt([file]), true);
  writeFileSync(file, 'longer');
  clock.advance(1_000);
  assert.equal(changes(), 1);
  files.watch(lookAt([file]), false);
  writeFileSync(file, 'longer still');
  clock.advance(60_000);
  assert.deepEqual([changes(), clock.pendingTimers], [1, 0]);
  files.add(lookAt([file])); // of a refused configuration, while nobody watches
  assert.equal(clock.pendingTimers, 0);
});

test('a plan with other files is watched for those, by the one watch that there is', () => {
  const { clock, files, file, changes } = watched('two');
  const other = join(folder, 'other');
  writeFileSync(other, 'b');
  files.watch(lookAt([file]), true);
  files.watch(lookAt([other]), true);
  assert.equal(clock.pendingTimers, 1);
  writeFileSync(file, 'nobody looks at it any more');
  clock.advance(2_000);
  assert.equal(changes(), 0);
  writeFileSync(other, 'changed');
  clock.advance(2_000);
  assert.equal(changes(), 1);
  files.close();
});

test('a file that a refused configuration named is watched too: it may appear', () => {
  const { clock, files, file, changes } = watched('three');
  const missing = join(folder, 'appears');
  files.watch(lookAt([file]), true);
  files.add(lookAt([missing]));
  clock.advance(2_000);
  assert.equal(changes(), 0);
  writeFileSync(missing, 'here');
  clock.advance(2_000);
  assert.equal(changes(), 1);
  files.close();
  assert.equal(clock.pendingTimers, 0);
});
