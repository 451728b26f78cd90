import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../src/resilience/retry_budget.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('retries are at most the share of requests plus the reserve, in any ten seconds', () => {
  const seed = 20261120;
  const random = seededRandom(seed);
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 10 }, clock);
  const requests: number[] = [];
  const retries: number[] = [];
  for (let step = 0; step < 20_000; step++) {
    clock.advance(random.unit() * 20);
    const nowMs = clock.nowMs();
    if (random.unit() < 0.5) {
      budget.deposit();
      requests.push(nowMs);
    }
    while (random.unit() < 0.7 && budget.withdraw()) retries.push(nowMs);
    const since = nowMs - 10_000;
    while ((requests[0] ?? nowMs) < since - 10_000) requests.shift();
    while ((retries[0] ?? nowMs) < since) retries.shift();
    const allowed = 0.2 * requests.length + 10 * 10 + 10;
    assert.ok(retries.length <= allowed, `seed ${seed}: ${retries.length} retries, ${allowed} allowed`);
  }
});

test('without requests there is the reserve of a second, and not more after an hour', () => {
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 3 }, clock);
  clock.advance(3_600_000);
  assert.equal(budget.remaining, 3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => budget.withdraw()),
    [true, true, true, false],
  );
  clock.advance(1_000);
  assert.equal(budget.remaining, 3);
});

test('five requests pay for one retry at 20 %', () => {
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 0 }, new FakeClock());
  for (let count = 0; count < 4; count++) budget.deposit();
  assert.equal(budget.withdraw(), false);
  budget.deposit();
  assert.equal(budget.withdraw(), true);
});
