import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundRobinPolicy, smoothTurn } from '../../src/load_balancer/round_robin.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);

function members(weights: readonly number[]) {
  return weights.map((weight, at) => ({ weight, inFlight: 0, name: String.fromCharCode(97 + at) }));
}

/** As nginx does it, member by member. */
function nginxTurn(weights: readonly number[], steps: number): string {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sums = weights.map(() => 0);
  let turn = '';
  for (let step = 0; step < steps; step++) {
    let best = -1;
    for (const [at, weight] of weights.entries()) {
      sums[at] = (sums[at] ?? 0) + weight;
      if (best < 0 || (sums[at] ?? 0) > (sums[best] ?? 0)) best = at;
    }
    sums[best] = (sums[best] ?? 0) - total;
    turn += String.fromCharCode(97 + best);
  }
  return turn;
}

function turnOf(weights: readonly number[]): string {
  return smoothTurn(members(weights))
    .map(({ name }) => name)
    .join('');
}

test('a weight is spread over the turn and not given at once', () => {
  assert.equal(turnOf([5, 1, 1]), 'aabacaa');
  assert.equal(turnOf([2, 1]), 'aba');
  assert.equal(turnOf([1, 1, 1]), 'abc');
  assert.equal(turnOf([200, 100]), 'aba', 'only the proportion counts');
});

test(`the order is the one of nginx, for any weights (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 300; round++) {
    const weights = Array.from({ length: 1 + Math.floor(random.unit() * 9) }, () =>
      Math.ceil(random.unit() * 12),
    );
    const turn = turnOf(weights);
    assert.equal(turn, nginxTurn(weights, turn.length), `weights ${weights.join(' ')}`);
  }
});

test('large weights make no endless turn, and shares stay', () => {
  const turn = smoothTurn(members([1_000, 999, 998, 7, ...Array.from({ length: 40 }, (_, at) => 500 + at)]));
  assert.ok(turn.length > 9_900 && turn.length < 10_100, `${turn.length} places`);
  const places = turn.filter(({ weight }) => weight === 1_000).length;
  const share = (1_000 / (3_004 + 40 * 519.5)) * turn.length;
  assert.ok(Math.abs(places - share) <= 1, `${places} places, ${share} are its share`);
});

test('the smallest weight beside many large ones still has a place', () => {
  const list = members([1, ...Array.from({ length: 100 }, (_, at) => 900 + at)]);
  assert.equal(smoothTurn(list).filter(({ weight }) => weight === 1).length, 1);
});

test('a change in a large cluster is taken in quickly', () => {
  const policy = new RoundRobinPolicy({ at: -1, dispose: () => {} }, seededRandom(SEED));
  const startedAtMs = performance.now();
  policy.setEndpoints(members(Array.from({ length: 5_000 }, (_, at) => 1 + (at % 1_000))));
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs < 500, `${tookMs} ms`);
});

test('a reload continues where the previous plan was', () => {
  const cursor = { at: -1, dispose: () => {} };
  const [list, all] = [members([2, 1]), () => true];
  const before = new RoundRobinPolicy<(typeof list)[number]>(cursor, seededRandom(1));
  before.setEndpoints(list);
  assert.equal(before.pick(all)?.name, 'a');
  const after = new RoundRobinPolicy<(typeof list)[number]>(cursor, seededRandom(1));
  after.setEndpoints(list);
  assert.deepEqual([after.pick(all)?.name, after.pick(all)?.name], ['b', 'a']);
});

test('a cursor beyond the end of a shorter turn continues within it', () => {
  const policy = new RoundRobinPolicy({ at: 1_000, dispose: () => {} }, seededRandom(1));
  policy.setEndpoints(members([1, 1, 1]));
  assert.notEqual(
    policy.pick(() => true),
    null,
  );
});
