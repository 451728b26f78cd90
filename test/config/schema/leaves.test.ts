import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import {
  CHOICES,
  type ChoiceId,
  NUMBERS,
  type NumberId,
  type NumberSetting,
} from '../../../src/config/schema/defaults.ts';
import {
  choice,
  itemName,
  listed,
  named,
  number,
  plainText,
  requiredNumber,
} from '../../../src/config/schema/leaves.ts';
import { formatByteRate, formatDuration, formatSize } from '../../../src/config/units.ts';

function read(id: NumberId, value: unknown): number | null | undefined | string {
  const result = number(id).safeParse(value);
  return result.success ? result.data : (result.error.issues[0]?.message ?? 'no reason');
}

function written(value: number, { unit }: NumberSetting): string | number {
  if (unit === 'ms') return formatDuration(value);
  if (unit === 'bytesPerSecond') return formatByteRate(value);
  return unit === 'bytes' ? formatSize(value) : value;
}

test('every number accepts its bounds, and names them when they are passed', () => {
  for (const id of Object.keys(NUMBERS) as NumberId[]) {
    const facts: NumberSetting = NUMBERS[id];
    assert.equal(read(id, written(facts.min, facts)), facts.min, id);
    assert.equal(read(id, written(facts.max, facts)), facts.max, id);
    const above = read(id, written(facts.max * 2, facts));
    assert.match(String(above), /is too large; it must be from /, id);
    assert.ok(String(above).includes(`to ${written(facts.max, facts)}`), id);
    if (facts.min > 0 && facts.unit !== 'ratio' && facts.min > 1) {
      assert.match(String(read(id, written(facts.min - 1, facts))), /is too small; it must be from /, id);
    }
  }
});

test('off switches off where that is possible, and 0 says so', () => {
  for (const id of Object.keys(NUMBERS) as NumberId[]) {
    const facts: NumberSetting = NUMBERS[id];
    if (facts.off) {
      assert.equal(read(id, 'off'), null, id);
      assert.equal(read(id, 0), '0 is not allowed; to switch it off, write off', id);
    } else {
      assert.match(String(read(id, 'off')), /^cannot be switched off; it must be from /, id);
      if (facts.min > 0) assert.match(String(read(id, 0)), /^0 is not allowed; it must be from /, id);
      else assert.equal(read(id, 0), 0, id);
    }
  }
});

test('a number without a unit gets both ways to write it', () => {
  assert.equal(read('clusters.pool.idle', 5), 'a duration needs a unit; write 5s or 5ms');
  assert.equal(read('listeners.limits.headBytes', 16), 'a size needs a unit; write 16B, 16KiB or 16MiB');
});

test('a count may be a string, because a variable is one', () => {
  assert.equal(read('clusters.pool.connections', '64'), 64);
  assert.equal(read('clusters.retryBudget.ratio', '0.25'), 0.25);
  for (const value of ['64x', '', ' 64', '0x40', '1e2', '-1'])
    assert.match(
      String(read('clusters.pool.connections', value)),
      /expected a whole number from 1 to 65535/,
      JSON.stringify(value),
    );
});

test('a value that is not a number gets a message with what is expected', () => {
  for (const value of [null, true, [], {}, Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const id of [
      'clusters.pool.idle',
      'clusters.pool.connections',
      'listeners.limits.headBytes',
      'clusters.retryBudget.ratio',
    ] as const) {
      assert.match(String(read(id, value)), /expected a /, `${id} ${JSON.stringify(value)}`);
    }
  }
  assert.match(String(read('clusters.pool.connections', null)), /^the value is missing/);
});

test('absent is absent, unless it is required', () => {
  assert.equal(read('clusters.pool.idle', undefined), undefined);
  assert.ok(!requiredNumber('routes.forward.split.weight').safeParse(undefined).success);
});

test('every choice accepts its options, and the texts of those that are no text', () => {
  for (const id of Object.keys(CHOICES) as ChoiceId[]) {
    for (const option of CHOICES[id].options) {
      assert.deepEqual(choice(id).parse(option), option, id);
      assert.deepEqual(choice(id).parse(String(option)), option, id);
    }
    for (const value of ['nonsense', null, [CHOICES[id].value], {}])
      assert.ok(!choice(id).safeParse(value).success, `${id} ${String(value)}`);
    assert.equal(choice(id).parse(undefined), undefined);
  }
});

test('a name fits into a metric, a path and an object', () => {
  for (const name of ['a', 'a-b_C9', 'x'.repeat(64)]) assert.ok(itemName.safeParse(name).success, name);
  for (const name of [
    '',
    'a b',
    'a.b',
    'ä',
    'x'.repeat(65),
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
  ])
    assert.ok(!itemName.safeParse(name).success, name);
  assert.ok(!named(z.string()).safeParse({ 'a b': 'x' }).success);
});

test('a list of words reads like one', () => {
  assert.deepEqual(
    [listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])],
    ['', 'a', 'a or b', 'a, b or c'],
  );
  assert.ok(!plainText.safeParse('').success);
});
