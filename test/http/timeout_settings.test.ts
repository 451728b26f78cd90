// The line that set a timeout is found where the plan has it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NamedTimeout, settingOf } from '../../src/http/timeout_settings.ts';
import { forwardTo, load } from '../support/plan_builder.ts';

const NAMES: readonly NamedTimeout[] = [
  'head',
  'bodyIdle',
  'request',
  'queueTimeout',
  'connectTimeout',
  'perTry',
  'responseHead',
  'responseIdle',
  'tunnelIdle',
];

test('each timeout is a value of the plan, also where no route has matched', () => {
  const { plan, origins: noted } = load(forwardTo(['127.0.0.1:1']));
  const origins = noted.ofLeaves(plan);
  for (const name of NAMES) {
    const setting = settingOf(name, { listener: 'main', route: 'all', cluster: 'app' });
    assert.ok(origins.has(setting), `${name}: ${setting}`);
  }
  for (const name of ['head', 'bodyIdle'] as const) {
    const setting = settingOf(name, { listener: 'main', route: null, cluster: null });
    assert.ok(origins.has(setting), `${name}: ${setting}`);
  }
});
