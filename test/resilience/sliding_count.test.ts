import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlidingCount } from '../../src/resilience/sliding_count.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);

test(`it counts no less than the last nine tenths of its time and no more than all of it (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (const bucketMs of [1, 33.3, 1_000]) {
    const count = new SlidingCount(bucketMs, 10);
    const events: number[] = [];
    let nowMs = 12_345.6;
    for (let step = 0; step < 5_000; step++) {
      nowMs += random.unit() < 0.01 ? random.unit() * 20 * bucketMs : random.unit() * bucketMs;
      if (random.unit() < 0.7) {
        count.add(nowMs);
        events.push(nowMs);
      }
      const since = (ms: number) => events.filter(atMs => atMs > nowMs - ms).length;
      const total = count.total(nowMs);
      assert.ok(total >= since(9 * bucketMs) && total <= since(10 * bucketMs), `step ${step}: ${total}`);
      if (events.length > 200) events.splice(0, 100 - 1);
    }
  }
});

test('what happened exactly the whole time ago is forgotten, and one bucket less is not', () => {
  const count = new SlidingCount(1_000, 10);
  count.add(5_000);
  assert.equal(count.total(14_999), 1);
  assert.equal(count.total(15_000), 0);
});

test('after a long silence nothing is left, however long it was', () => {
  const count = new SlidingCount(10, 10);
  for (let at = 0; at < 95; at++) count.add(at);
  assert.equal(count.total(1e12), 0);
  count.add(1e12);
  assert.equal(count.total(1e12), 1);
});

test('cleared is as new', () => {
  const count = new SlidingCount(10, 10);
  count.add(5);
  count.clear();
  assert.equal(count.total(5), 0);
  count.add(6);
  assert.deepEqual([count.total(6), count.total(106)], [1, 0]);
});
