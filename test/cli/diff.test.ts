import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardTo } from '../support/plan_builder.ts';
import { absentFile, configFile } from './config_file.ts';
import { runCommand } from './run_command.ts';

const one = configFile('one.yaml', forwardTo(['127.0.0.1:1', '127.0.0.1:2']));
const other = configFile('other.yaml', forwardTo(['127.0.0.1:2', '127.0.0.1:3']));

test('two files that differ in meaning end with 1 and a line for each change; the same one ends with 0', async () => {
  const different = await runCommand(['diff', one, other]);
  assert.deepEqual(
    [different.code, different.out],
    [
      1,
      'drain    clusters.app.endpoints.127.0.0.1:1: removed\nlive     clusters.app.endpoints.127.0.0.1:3: added\n',
    ],
  );
  const same = await runCommand(['diff', one, one]);
  assert.deepEqual([same.code, same.out], [0, 'no change in meaning\n']);
});

test('with --json a script reads path, change and class', async () => {
  const { out } = await runCommand(['diff', '--json', one, other]);
  const { changes } = JSON.parse(out) as { changes: Record<string, unknown>[] };
  assert.deepEqual(
    changes.map(({ path, change, class: kind }) => [path, change, kind]),
    [
      ['clusters.app.endpoints.127.0.0.1:1', 'removed', 'drain'],
      ['clusters.app.endpoints.127.0.0.1:3', 'added', 'live'],
    ],
  );
});

test('a file that is wrong or gone ends with 78 or 66, whichever of the two it is', async () => {
  const wrong = configFile('wrong.yaml', { version: 1, nonsense: true });
  assert.equal((await runCommand(['diff', one, wrong])).code, 78);
  assert.equal((await runCommand(['diff', wrong, one])).code, 78);
  assert.equal((await runCommand(['diff', one, absentFile])).code, 66);
});
