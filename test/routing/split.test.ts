import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSplit, pickTarget } from '../../src/routing/split.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('each target gets its share, to the edge', () => {
  const split = buildSplit([
    { weight: 90, value: 'a' },
    { weight: 0, value: 'never' },
    { weight: 10, value: 'b' },
  ]);
  const cases: [unit: number, target: string][] = [
    [0, 'a'],
    [0.899_999, 'a'],
    [0.9, 'b'],
    [0.999_999_999_999, 'b'],
  ];
  for (const [unit, target] of cases) assert.equal(pickTarget(split, unit), target, `${unit}`);
});

test('a target without weight gets nothing, wherever it stands', () => {
  const split = buildSplit([
    { weight: 0, value: 'first' },
    { weight: 1, value: 'only' },
    { weight: 0, value: 'last' },
  ]);
  for (const unit of [0, 0.5, 1 - Number.EPSILON]) assert.equal(pickTarget(split, unit), 'only');
});

test('with many targets the shares come out right', () => {
  const SEED = 3;
  const random = seededRandom(SEED);
  const weights = [5, 1, 0, 3, 7, 2, 2];
  const split = buildSplit(weights.map((weight, value) => ({ weight, value })));
  const counts = weights.map(() => 0);
  for (let round = 0; round < 200_000; round++) {
    const at = pickTarget(split, random.unit());
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const [at, weight] of weights.entries()) {
    assert(
      Math.abs((counts[at] ?? 0) / 200_000 - weight / 20) < 0.005,
      `SEED=${SEED}: target ${at} got ${counts[at]}`,
    );
  }
});

test('a split without any weight cannot be made', () => {
  assert.throws(() => buildSplit([{ weight: 0, value: 'a' }]), /weight above 0/);
});
