import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../src/resilience/retry_budget.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);

function within(times: readonly number[], nowMs: number, ms: number): number {
  return times.filter(atMs => atMs >= nowMs - ms).length;
}

test(`in the ten seconds before any retry there are at most the share of requests and the reserve (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (const [ratio, perSecondMin] of [
    [0.2, 10],
    [0.2, 0],
    [0.5, 1],
    [0, 3],
    [1, 7],
  ] as const) {
    const clock = new FakeClock();
    const budget = new RetryBudget({ ratio, perSecondMin }, clock);
    let requests: number[] = [];
    let retries: number[] = [];
    let load = 0.5;
    for (let step = 0; step < 20_000; step++) {
      if (step % 500 === 0) load = random.unit() < 0.3 ? 0 : random.unit(); // silence, bursts, and all between
      clock.advance(random.unit() * 20);
      const nowMs = clock.nowMs();
      if (random.unit() < load) {
        budget.deposit();
        requests.push(nowMs);
      }
      const wanted = random.unit() < 0.5 ? 3 : 0;
      for (let count = 0; count < wanted; count++) {
        const remaining = budget.remaining;
        const allowed = budget.withdraw();
        assert.equal(allowed, remaining >= 1, 'what is said to remain can be had');
        if (!allowed) break;
        retries.push(nowMs);
        requests = requests.filter(atMs => atMs >= nowMs - 10_000);
        retries = retries.filter(atMs => atMs >= nowMs - 10_000);
        const [got, most] = [
          within(retries, nowMs, 10_000),
          ratio * within(requests, nowMs, 10_000) + perSecondMin * 10,
        ];
        assert.ok(got <= most + 1e-9, `ratio ${ratio}, step ${step}: ${got} retries, ${most} allowed`);
      }
    }
  }
});

test('when everything fails after a good hour, attempts are no more than the share on top', () => {
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 0 }, clock);
  for (let count = 0; count < 36_000; count++) {
    clock.advance(100);
    for (let each = 0; each < 10; each++) budget.deposit();
  }
  let retries = 0; // 10 of the requests come at the moment at which the good hour ends
  for (let count = 0; count < 100; count++) {
    for (let each = 0; each < 10; each++) {
      budget.deposit();
      if (budget.withdraw()) retries++;
    }
    clock.advance(100);
  }
  assert.ok(
    retries >= 180 && retries <= 202,
    `${retries} retries for the 1010 requests of the bad ten seconds`,
  );
});

test('without requests there is the reserve of a second, and not more after an hour', () => {
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 10 }, clock);
  assert.equal(budget.remaining, 10, 'a backend may be down when the proxy starts');
  clock.advance(3_600_000);
  assert.equal(budget.remaining, 10);
  for (let count = 0; count < 10; count++) assert.equal(budget.withdraw(), true);
  assert.equal(budget.withdraw(), false);
  clock.advance(1_000);
  assert.equal(budget.remaining, 10);
});

test('five requests pay for one retry at 20 %, for ten seconds', () => {
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 0 }, clock);
  for (let count = 0; count < 4; count++) budget.deposit();
  assert.equal(budget.withdraw(), false);
  budget.deposit();
  assert.equal(budget.withdraw(), true);
  assert.equal(budget.withdraw(), false);
  for (let count = 0; count < 5; count++) budget.deposit();
  clock.advance(10_000);
  assert.equal(budget.withdraw(), false, 'not used in time');
});

test('the share and the reserve are two allowances: one does not pay for the other', () => {
  const clock = new FakeClock();
  const budget = new RetryBudget({ ratio: 0.2, perSecondMin: 10 }, clock);
  for (let count = 0; count < 100; count++) budget.deposit();
  const taken = (): number => {
    let count = 0;
    while (budget.withdraw()) count++;
    return count;
  };
  assert.equal(taken(), 20 + 10);
  clock.advance(8_000);
  assert.equal(taken(), 10, 'what the share has paid for is remembered');
});

test('no share and no reserve: no retry', () => {
  const budget = new RetryBudget({ ratio: 0, perSecondMin: 0 }, new FakeClock());
  for (let count = 0; count < 1_000; count++) budget.deposit();
  assert.deepEqual([budget.withdraw(), budget.remaining], [false, 0]);
});
