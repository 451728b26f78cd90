import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOrExplain } from '../../src/cli/load.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { captured } from './captured.ts';
import { absentFile, configFile } from './config_file.ts';

test('a file that is good is loaded, with its warnings on standard error', async () => {
  const clusters = { unused: { endpoints: ['127.0.0.1:2'] } };
  const file = configFile('load.yaml', forwardTo(['127.0.0.1:1'], { clusters }));
  const { code, err } = await captured(async () => {
    const loaded = await loadOrExplain(file);
    assert(typeof loaded !== 'number');
    return Object.keys(loaded.plan.clusters).length;
  });
  assert.equal(code, 2);
  assert.match(err, /warning: .*unused/);
});

test('a problem is coloured on a terminal alone, and not where NO_COLOR is set', async () => {
  const file = configFile('colours.yaml', { ...forwardTo(['127.0.0.1:1']), rutes: [] });
  const { stderr } = process;
  const was = stderr.isTTY;
  const said = async (isTTY: boolean, noColor: string) => {
    stderr.isTTY = isTTY;
    Object.assign(process.env, { TERM: 'xterm', NO_COLOR: noColor });
    const { err } = await captured(async () => Number(await loadOrExplain(file)));
    return err.includes('\u001b[');
  };
  const before = { ...process.env };
  try {
    assert.deepEqual(
      [await said(true, ''), await said(true, '1'), await said(false, '')],
      [true, false, false],
    );
  } finally {
    stderr.isTTY = was;
    process.env = before;
  }
});

test('a file that is not there and one that is wrong have codes of their own', async () => {
  const broken = configFile('wrong.yaml', { ...forwardTo(['127.0.0.1:1']), rutes: [] });
  for (const [file, code] of [
    [absentFile, 66],
    [broken, 78],
  ] as const)
    assert.equal((await captured(async () => Number(await loadOrExplain(file)))).code, code);
});
