// What a pool relies on, whoever picks: one suite that each policy passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pickable, Policy } from '../../src/load_balancer/policy.ts';
import type { Random } from '../../src/resilience/random.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);

interface Counted extends Pickable {
  readonly name: string;
  inFlight: number;
  picks: number;
}

export function member(name: string, weight = 1): Counted {
  return { name, weight, inFlight: 0, picks: 0 };
}

function many(count: number, weight = (_at: number) => 1): Counted[] {
  return Array.from({ length: count }, (_, at) => member(`m${at}`, weight(at)));
}

const all = () => true;

function pickTimes(policy: Policy<Counted>, times: number, usable: (member: Counted) => boolean = all): void {
  for (let count = 0; count < times; count++) {
    const picked = policy.pick(usable);
    assert(picked !== null, `pick ${count} of ${times} found nobody`);
    assert(usable(picked), `${picked.name} is not usable`);
    picked.picks++;
  }
}

/** How far the picks are from the weights: the sum over members of (got - expected)² / expected. */
function chiSquare(members: readonly Counted[]): number {
  const picks = members.reduce((sum, one) => sum + one.picks, 0);
  const weights = members.reduce((sum, one) => sum + one.weight, 0);
  return members.reduce((sum, { picks: got, weight }) => {
    const expected = (picks * weight) / weights;
    return sum + (got - expected) ** 2 / expected;
  }, 0);
}

/** Mean of the distribution plus five standard deviations: by chance alone, one run in millions is above. */
function chiSquareMax(freedom: number): number {
  return freedom + 5 * Math.sqrt(2 * freedom);
}

export function policyContract(name: string, make: (random: Random) => Policy<Counted>): void {
  const create = (): Policy<Counted> => make(seededRandom(SEED));
  const promise = (sentence: string, body: () => void): void => {
    test(`${name}: ${sentence} (seed ${SEED})`, body);
  };

  promise('in the long run each member gets its share', () => {
    for (const members of [many(3, at => [1, 2, 5][at] ?? 0), many(2), many(50, at => 1 + (at % 7))]) {
      const policy = create();
      policy.setEndpoints(members);
      pickTimes(policy, 40_000);
      const far = chiSquare(members);
      assert.ok(far <= chiSquareMax(members.length - 1), `${members.length} members: chi square ${far}`);
    }
  });

  promise('each member keeps its share while requests take their time', () => {
    const policy = create();
    const random = seededRandom(SEED + 1);
    const members = many(6, at => 1 + at);
    policy.setEndpoints(members);
    const running: Counted[] = [];
    for (let count = 0; count < 40_000; count++) {
      const picked = policy.pick(({ inFlight }) => inFlight < 20);
      assert(picked !== null);
      picked.picks++;
      picked.inFlight++;
      running.push(picked);
      while (running.length > 30) {
        const [done] = running.splice(Math.floor(random.unit() * running.length), 1);
        if (done !== undefined) done.inFlight--;
      }
    }
    for (const { name: who, picks, weight } of members) {
      const share = (40_000 * weight) / 21;
      assert.ok(Math.abs(picks - share) < 0.1 * share, `${who} got ${picks}, its share is ${share}`);
    }
  });

  promise('a share that one member cannot take does not fall on a single other one', () => {
    const policy = create();
    const members = many(200);
    const usable = (one: Counted) => Number(one.name.slice(1)) >= 100;
    policy.setEndpoints(members);
    pickTimes(policy, 20_000, usable);
    const most = Math.max(...members.map(({ picks }) => picks));
    assert.ok(most < 3 * 200, `200 picks are the fair share of each of 100, and one got ${most}`);
  });

  promise('a member of weight 0 is never picked, not even when it is the only usable one', () => {
    const policy = create();
    const members = many(10, at => at % 2);
    policy.setEndpoints(members);
    pickTimes(policy, 1_000);
    assert.ok(members.every(({ picks, weight }) => weight > 0 || picks === 0));
    assert.equal(
      policy.pick(({ weight }) => weight === 0),
      null,
    );
    policy.setEndpoints(many(3, () => 0));
    assert.equal(policy.pick(all), null);
  });

  promise('the only usable one of a thousand is found, wherever it stands', () => {
    const policy = create();
    const members = many(1_000, at => 1 + (at % 3));
    policy.setEndpoints(members);
    for (const at of [0, 1, 500, 637, 998, 999]) {
      const only = members[at];
      for (let count = 0; count < 20; count++)
        assert.equal(
          policy.pick(one => one === only),
          only,
        );
    }
  });

  promise('when no member is usable it says so', () => {
    const policy = create();
    assert.equal(policy.pick(all), null, 'before there were members');
    policy.setEndpoints(many(100));
    assert.equal(
      policy.pick(() => false),
      null,
    );
    policy.setEndpoints([]);
    assert.equal(policy.pick(all), null, 'all are gone');
  });

  promise('members may change between two picks', () => {
    const policy = create();
    const random = seededRandom(SEED + 2);
    const members = many(12, at => 1 + (at % 4));
    for (let round = 0; round < 2_000; round++) {
      const some = members.filter(() => random.unit() < 0.5);
      policy.setEndpoints(some);
      for (let count = 0; count < 3; count++) {
        const picked = policy.pick(all);
        assert.ok(
          some.length === 0 ? picked === null : picked !== null && some.includes(picked),
          `round ${round}`,
        );
      }
    }
  });

  promise('a pick in a large cluster asks a few members, not all of them', () => {
    const policy = create();
    policy.setEndpoints(many(10_000, at => 1 + (at % 3)));
    let asked = 0;
    for (let count = 0; count < 1_000; count++) policy.pick(() => ++asked > 0);
    assert.ok(asked <= 2 * 1_000, `${asked} questions for 1000 picks`);
  });
}
