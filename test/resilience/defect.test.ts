import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDefect } from '../../src/resilience/defect.ts';

test('a defect says where it was, whatever was thrown', () => {
  assert.match(describeDefect(new Error('why')), /why\n +at .*defect\.test\.ts/);
  assert.equal(describeDefect('why'), 'why');
  assert.equal(describeDefect(null), 'null');
  assert.match(describeDefect(Object.create(null)), /cannot even be shown/);
});
