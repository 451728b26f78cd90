import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomPolicy } from '../../src/load_balancer/random.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('the same seed picks the same backends, another one others', () => {
  const picks = (seed: number): string => {
    const policy = randomPolicy<{ weight: number; inFlight: number; name: string }>(seededRandom(seed));
    policy.setEndpoints([...'abcdef'].map(name => ({ weight: 1, inFlight: 0, name })));
    return Array.from({ length: 30 }, () => policy.pick(() => true)?.name).join('');
  };
  assert.equal(picks(1), picks(1));
  assert.notEqual(picks(1), picks(2));
});

test('how busy a backend is does not matter', () => {
  const policy = randomPolicy(seededRandom(1));
  const [idle, busy] = [
    { weight: 1, inFlight: 0 },
    { weight: 1, inFlight: 1_000 },
  ];
  policy.setEndpoints([idle, busy]);
  let toBusy = 0;
  for (let count = 0; count < 1_000; count++) if (policy.pick(() => true) === busy) toBusy++;
  assert.ok(toBusy > 400 && toBusy < 600, `${toBusy} of 1000`);
});
