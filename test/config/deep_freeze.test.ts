import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '../../src/config/deep_freeze.ts';

test('nothing inside a frozen plan can be changed', () => {
  const plan = deepFreeze({ routes: [{ name: 'a', hosts: ['x'] }] });
  assert.throws(() => plan.routes[0]?.hosts.push('y'), TypeError);
  assert.throws(() => Object.assign(plan.routes[0] ?? {}, { name: 'b' }), TypeError);
});
