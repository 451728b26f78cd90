import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPlan } from '../../src/cli/plan.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { captured } from './captured.ts';
import { absentFile, configFile } from './config_file.ts';

test('a value of the environment is shown nowhere in the plan, whatever the field is called', async () => {
  process.env['FAIRLEAD_TEST_VALUE'] = 'from-the-environment';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the loader puts the variable in
  const route = { headers: { request: { set: { 'x-plain': '${FAIRLEAD_TEST_VALUE}' } } } };
  const file = configFile('plan.yaml', forwardTo(['127.0.0.1:1'], { route }));
  for (const origins of [false, true]) {
    const { code, out } = await captured(() => runPlan(file, origins));
    assert.equal(code, 0);
    assert.doesNotMatch(out, /from-the-environment/);
    assert.match(out, /"x-plain",\s+"\*\*\*"/);
    assert.equal('origins' in JSON.parse(out), origins);
  }
  delete process.env['FAIRLEAD_TEST_VALUE'];
});

test('without a plan nothing is on standard output, and the code says why', async () => {
  const absent = await captured(() => runPlan(absentFile, false));
  assert.deepEqual([absent.code, absent.out], [66, '']);
  const broken = configFile('broken.yaml', { ...forwardTo(['127.0.0.1:1']), rutes: [] });
  const invalid = await captured(() => runPlan(broken, false));
  assert.deepEqual([invalid.code, invalid.out], [78, '']);
  assert.match(invalid.err, /rutes/);
});
