import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greatestCommonDivisor, scan, takesTraffic, WeightedDraw } from '../../src/load_balancer/policy.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);

function members(weights: readonly number[]) {
  return weights.map(weight => ({ weight, inFlight: 0 }));
}

test(`a scan asks each member exactly once, whatever their number (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (let count = 0; count < 130; count++) {
    const list = members(Array.from({ length: count }, () => 1));
    const asked: unknown[] = [];
    const found = scan(list, member => asked.push(member) < 0, random);
    assert.equal(found, null);
    assert.deepEqual([asked.length, new Set(asked).size], [count, count], `${count} members`);
  }
});

test(`a draw takes members by weight, and never the one that is excepted (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const weights = [3, 0, 5, 2];
  const draw = new WeightedDraw(members(weights));
  for (const except of [-1, 0, 2, 3]) {
    const times = [0, 0, 0, 0];
    for (let count = 0; count < 10_000; count++) {
      const at = draw.draw(random, except);
      times[at] = (times[at] ?? 0) + 1;
    }
    const total = weights.reduce((sum, weight, at) => sum + (at === except ? 0 : weight), 0);
    for (const [at, weight] of weights.entries()) {
      const expected = at === except ? 0 : (10_000 * weight) / total;
      const far = Math.abs((times[at] ?? 0) - expected);
      assert.ok(
        far < 250 && (expected > 0 || far === 0),
        `except ${except}: place ${at} drawn ${times[at]} times`,
      );
    }
  }
});

test('a draw without another backend to choose says so', () => {
  const random = seededRandom(SEED);
  assert.equal(new WeightedDraw(members([])).draw(random), -1);
  assert.equal(new WeightedDraw(members([4])).draw(random), 0);
  assert.equal(new WeightedDraw(members([4])).draw(random, 0), -1);
  assert.equal(new WeightedDraw(members([4])).member(-1), null);
});

test('the end of the line of weights belongs to the last member', () => {
  const almostOne = { unit: () => 1 - Number.EPSILON / 2, requestId: () => '', hex: () => '' };
  const draw = new WeightedDraw(members([1, 1, 1]));
  assert.deepEqual([draw.draw(almostOne), draw.draw(almostOne, 2), draw.draw(almostOne, 0)], [2, 1, 2]);
});

test('small arithmetic', () => {
  assert.deepEqual(
    [greatestCommonDivisor(12, 18), greatestCommonDivisor(0, 7), greatestCommonDivisor(7, 1)],
    [6, 7, 1],
  );
  assert.deepEqual(members([0, 1]).map(takesTraffic), [false, true]);
});
