import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigWatcher, lookAt } from '../../src/config/watcher.ts';
import { FakeClock } from '../support/fake_clock.ts';

const POLL_MS = 500;

function watch(context: TestContext, ...names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-watch-'));
  const clock = new FakeClock();
  const file = join(folder, 'fairlead.yaml');
  writeFileSync(file, 'version: 1\n');
  let changes = 0;
  const watcher = new ConfigWatcher(lookAt([file, ...names.map(name => join(folder, name))]), clock, () => {
    changes++;
  });
  context.after(() => {
    watcher.close();
    assert.equal(clock.pendingTimers, 0, 'no timer is left');
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    file,
    watcher,
    look: (times: number) => clock.advance(times * POLL_MS),
    changes: () => changes,
  };
}

test('nothing is reported as long as nothing changes', context => {
  const { look, changes } = watch(context);
  look(20);
  assert.equal(changes(), 0);
});

test('the changed files are named: a certificate is not the configuration', context => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-watch-'));
  const clock = new FakeClock();
  const [file, certificate] = [join(folder, 'fairlead.yaml'), join(folder, 'a.crt')];
  for (const path of [file, certificate]) writeFileSync(path, '1');
  const reported: (readonly string[])[] = [];
  const watcher = new ConfigWatcher(lookAt([file, certificate]), clock, changed => reported.push(changed));
  context.after(() => {
    watcher.close();
    rmSync(folder, { recursive: true });
  });
  const before = watcher.stateOf(certificate);
  writeFileSync(certificate, '22');
  clock.advance(2 * POLL_MS);
  assert.deepEqual(reported, [[certificate]]);
  assert.notEqual(watcher.stateOf(certificate), before);
  writeFileSync(file, '22');
  writeFileSync(certificate, '333');
  clock.advance(2 * POLL_MS);
  assert.deepEqual(reported[1], [file, certificate]);
  assert.equal(watcher.stateOf('/elsewhere'), undefined);
});

test('a change is reported once, when the file is stable', context => {
  const { file, look, changes } = watch(context);
  writeFileSync(file, 'version: 1 # a\n');
  look(1);
  assert.equal(changes(), 0, 'somebody may still be writing');
  writeFileSync(file, 'version: 1 # ab\n');
  look(1);
  assert.equal(changes(), 0, 'and was');
  look(1);
  assert.equal(changes(), 1);
  look(10);
  assert.equal(changes(), 1);
});

test('a file that is replaced in one step is seen, also with the same size and an older date', context => {
  const { folder, file, look, changes } = watch(context);
  writeFileSync(join(folder, 'new'), 'version: 2\n');
  utimesSync(join(folder, 'new'), 1_000, 1_000);
  renameSync(join(folder, 'new'), file);
  look(2);
  assert.equal(changes(), 1);
});

test('a content that is written with the old size and the old date is seen', context => {
  const { file, look, changes } = watch(context);
  utimesSync(file, 1_000, 1_000);
  look(2);
  assert.equal(changes(), 1);
  writeFileSync(file, 'version: 3\n');
  utimesSync(file, 1_000, 1_000);
  look(2);
  assert.equal(changes(), 2);
});

test('a symbolic link that is swapped is seen, as Kubernetes does with a ConfigMap', context => {
  const { folder } = watch(context);
  const clock = new FakeClock();
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'fairlead.yaml'), `version: 1 # ${version}\n`);
  }
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync('..data/fairlead.yaml', join(folder, 'linked.yaml'));
  let changes = 0;
  const watcher = new ConfigWatcher(lookAt([join(folder, 'linked.yaml')]), clock, () => {
    changes++;
  });
  symlinkSync('v2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  clock.advance(2 * POLL_MS);
  watcher.close();
  assert.equal(changes, 1);
});

test('a file that vanishes for a moment is one change, and a new file is one too', context => {
  const { folder, file, look, changes } = watch(context, 'server.crt');
  rmSync(file);
  look(1);
  writeFileSync(file, 'version: 1 # again\n');
  look(2);
  assert.equal(changes(), 1);
  writeFileSync(join(folder, 'server.crt'), 'certificate');
  look(2);
  assert.equal(changes(), 2);
});

test('a change in the middle of a reload is not lost', context => {
  const { file, watcher, look, changes } = watch(context);
  writeFileSync(file, 'version: 1 # first\n');
  look(2);
  assert.equal(changes(), 1);
  // The reload has read the first change; the second comes before it is applied and the files are set anew.
  const read = lookAt([file]);
  writeFileSync(file, 'version: 1 # second change\n');
  watcher.setFiles(read);
  look(2);
  assert.equal(changes(), 2);
});

test('what a refused configuration names is watched too: the certificate that was missing may arrive', context => {
  const { folder, file, watcher, look, changes } = watch(context);
  watcher.addFiles(lookAt([join(folder, 'late.crt')]));
  writeFileSync(join(folder, 'late.crt'), 'a');
  look(2);
  assert.equal(changes(), 1);
  writeFileSync(file, 'version: 1 # the file itself is not forgotten\n');
  look(2);
  assert.equal(changes(), 2);
});

test('files that come to the configuration are watched, those that go are not', context => {
  const { folder, file, watcher, look, changes } = watch(context, 'old.crt');
  writeFileSync(join(folder, 'new.crt'), 'a');
  watcher.setFiles(lookAt([file, join(folder, 'new.crt')]));
  look(2);
  assert.equal(changes(), 0, 'that a file is new to us is no change');
  writeFileSync(join(folder, 'old.crt'), 'a');
  look(2);
  assert.equal(changes(), 0);
  writeFileSync(join(folder, 'new.crt'), 'other');
  look(2);
  assert.equal(changes(), 1);
});

test('after closing nothing is reported', context => {
  const { file, watcher, look, changes } = watch(context);
  watcher.close();
  writeFileSync(file, 'changed');
  look(5);
  assert.equal(changes(), 0);
});
