import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCheck } from '../../src/cli/check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { captured } from './captured.ts';
import { absentFile, configFile } from './config_file.ts';

const twice = configFile('twice.yaml', { ...forwardTo(['127.0.0.1:1']), rutes: [], lisseners: {} });
const once = configFile('once.yaml', { ...forwardTo(['127.0.0.1:1']), rutes: [] });

test('the verdict names the file without its folder and counts in the singular and the plural', async () => {
  const two = await captured(() => runCheck(twice, false));
  assert.deepEqual([two.code, two.out], [78, 'twice.yaml: invalid (2 errors, 0 warnings)\n']);
  assert.match(two.err, /unknown key "rutes"/);
  const one = await captured(() => runCheck(once, false));
  assert.equal(one.out, 'once.yaml: invalid (1 error, 0 warnings)\n');
});

test('warnings do not make a file invalid, and are counted beside the errors', async () => {
  const clusters = { unused: { endpoints: ['127.0.0.1:2'] } };
  const { code, out, err } = await captured(() =>
    runCheck(configFile('warned.yaml', forwardTo(['127.0.0.1:1'], { clusters })), false),
  );
  assert.equal(code, 0);
  assert.match(out, /^warned\.yaml: valid \(0 errors, [1-9]\d* warnings?\)\n$/);
  assert.match(err, /warning: .*unused/);
});

test('a program gets JSON on standard output also of a file that is not there', async () => {
  const { code, out, err } = await captured(() => runCheck(absentFile, true));
  const { valid, digest, problems } = JSON.parse(out);
  assert.deepEqual(
    [code, valid, digest, problems.length, problems[0].severity],
    [66, false, null, 1, 'error'],
  );
  assert.match(err, /absent\.yaml/);
  const bad = await captured(() => runCheck(twice, true));
  assert.deepEqual([bad.code, JSON.parse(bad.out).problems.length, bad.err], [78, 2, '']);
});
