// The table of presets stays inside what may be written by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NUMBERS, type NumberId } from '../../../src/config/schema/defaults.ts';
import { forwardingField, network } from '../../../src/config/schema/leaves.ts';
import { PRESET_NAMES, PRESETS, presetNumber, presetOf } from '../../../src/config/schema/presets.ts';

test('each value of a preset could be written', () => {
  for (const name of PRESET_NAMES) {
    const { numbers, trustedProxies, trustedHeaders } = PRESETS[name];
    for (const [id, value] of Object.entries(numbers)) {
      const { min, max } = NUMBERS[id as NumberId];
      assert.ok(value >= min && value <= max, `${name} ${id}`);
    }
    for (const field of trustedHeaders) assert.ok(forwardingField.safeParse(field).success, field);
    for (const cidr of trustedProxies ?? []) assert.ok(network.safeParse(cidr).success, cidr);
  }
});

test('a listener without a preset has no values of one', () => {
  assert.equal(presetOf({}), null);
  assert.equal(presetNumber({}, 'listeners.timeouts.request'), undefined);
  assert.equal(presetNumber(undefined, 'listeners.timeouts.request'), undefined);
  assert.equal(presetNumber({ preset: 'aws-alb' }, 'listeners.timeouts.request'), 50_000);
  assert.equal(presetNumber({ preset: 'aws-alb' }, 'listeners.timeouts.head'), undefined);
});
