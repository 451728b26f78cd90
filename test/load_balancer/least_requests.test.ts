import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);
const all = () => true;

function cluster(...members: (readonly [weight: number, inFlight: number])[]) {
  const list = members.map(([weight, inFlight]) => ({ weight, inFlight }));
  const policy = leastRequestsPolicy<(typeof list)[number]>(seededRandom(SEED));
  policy.setEndpoints(list);
  return { policy, list };
}

test('of two endpoints the one that hangs gets nothing while the other one responds', () => {
  const { policy, list } = cluster([1, 60], [1, 0]);
  for (let count = 0; count < 1_000; count++) assert.equal(policy.pick(all), list[1]);
});

test('what counts is how many requests are in flight for the weight', () => {
  const { policy, list } = cluster([3, 5], [1, 2]);
  assert.equal(policy.pick(all), list[0], '5 of 3 is less than 2 of 1');
});

test('the busiest of many is never taken while all are usable', () => {
  const { policy, list } = cluster([1, 9], ...Array.from({ length: 20 }, () => [1, 1] as const));
  for (let count = 0; count < 5_000; count++) assert.notEqual(policy.pick(all), list[0]);
});

test('a usable backend is taken however busy it is, when the other one is not usable', () => {
  const { policy, list } = cluster([1, 60], [1, 0]);
  assert.equal(
    policy.pick(one => one === list[0]),
    list[0],
  );
});

test(`under load all are about equally busy (seed ${SEED})`, () => {
  const { policy, list } = cluster(...Array.from({ length: 100 }, () => [1, 0] as const));
  for (let count = 0; count < 1_000; count++) {
    const picked = policy.pick(all);
    assert(picked);
    picked.inFlight++;
  }
  const most = Math.max(...list.map(({ inFlight }) => inFlight));
  assert.ok(most <= 13, `${most} where 10 are the mean; one random choice alone would make about 18`);
});
