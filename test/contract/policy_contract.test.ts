// One suite that each policy passes: what a pool relies on, whoever picks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeastRequestsPolicy } from '../../src/load_balancer/least_conn.ts';
import type { Member, Policy } from '../../src/load_balancer/policy.ts';
import { RandomPolicy } from '../../src/load_balancer/random.ts';
import { RoundRobinPolicy } from '../../src/load_balancer/round_robin.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = 7;

const POLICIES: Readonly<Record<string, () => Policy<Member>>> = {
  roundRobin: () => new RoundRobinPolicy({ at: -1, dispose: () => {} }, seededRandom(SEED)),
  leastRequests: () => new LeastRequestsPolicy(seededRandom(SEED)),
  random: () => new RandomPolicy(seededRandom(SEED)),
};

function members(weights: readonly number[]): { weight: number; inFlight: number }[] {
  return weights.map(weight => ({ weight, inFlight: 0 }));
}
const all = () => true;

for (const [name, make] of Object.entries(POLICIES)) {
  test(`${name}: in the long run each gets its share`, () => {
    const policy = make();
    const [a, b, c] = members([1, 2, 5]);
    assert(a && b && c);
    policy.setMembers([a, b, c]);
    const counts = new Map<Member, number>();
    for (let count = 0; count < 8_000; count++) {
      const picked = policy.pick(all);
      assert(picked);
      counts.set(picked, (counts.get(picked) ?? 0) + 1);
    }
    for (const [member, share] of [
      [a, 1],
      [b, 2],
      [c, 5],
    ] as const) {
      const got = counts.get(member) ?? 0;
      assert.ok(Math.abs(got - share * 1_000) < 200, `weight ${share} got ${got} of 8000`);
    }
  });

  test(`${name}: the only usable one of a thousand is found, and null is said when there is none`, () => {
    const policy = make();
    const list = members(Array.from({ length: 1_000 }, () => 1));
    policy.setMembers(list);
    const only = list[637];
    for (let count = 0; count < 50; count++)
      assert.equal(
        policy.pick(member => member === only),
        only,
      );
    assert.equal(
      policy.pick(() => false),
      null,
    );
    policy.setMembers([]);
    assert.equal(policy.pick(all), null);
  });

  test(`${name}: members may change between two picks`, () => {
    const policy = make();
    const random = seededRandom(SEED);
    const list = members([3, 1, 4, 1, 5, 9, 2, 6]);
    for (let round = 0; round < 500; round++) {
      const some = list.filter(() => random.unit() < 0.5);
      policy.setMembers(some);
      const picked = policy.pick(all);
      assert.ok(some.length === 0 ? picked === null : picked !== null && some.includes(picked as never));
    }
  });
}

test('round robin spreads a weight instead of giving it at once, and a reload does not begin anew', () => {
  const cursor = { at: -1, dispose: () => {} };
  const named = [
    { weight: 2, inFlight: 0, name: 'a' },
    { weight: 1, inFlight: 0, name: 'b' },
  ];
  const before = new RoundRobinPolicy<(typeof named)[number]>(cursor, seededRandom(SEED));
  before.setMembers(named);
  const order = Array.from({ length: 4 }, () => before.pick(all)?.name);
  assert.deepEqual(order, ['a', 'b', 'a', 'a']);
  const after = new RoundRobinPolicy<(typeof named)[number]>(cursor, seededRandom(SEED));
  after.setMembers(named);
  assert.equal(after.pick(all)?.name, 'b', 'the cursor goes on where it was');
});

test('least requests prefers the one with less to do for its weight', () => {
  const policy = new LeastRequestsPolicy(seededRandom(SEED));
  const busy = { weight: 1, inFlight: 100 };
  const idle = { weight: 1, inFlight: 0 };
  policy.setMembers([busy, idle]);
  let toIdle = 0;
  for (let count = 0; count < 1_000; count++) if (policy.pick(all) === idle) toIdle++;
  assert.ok(toIdle > 700, `${toIdle} of 1000: only two equal draws pick the busy one`);
});
