import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendPicker } from '../../src/load_balancer/backend_picker.ts';
import { leastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import { computeRotation } from '../../src/load_balancer/rotation.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { type ClusterOptions, fakeCluster, upstreamOf } from './fake_cluster.ts';

function picker(endpoints: number, options: ClusterOptions = {}) {
  const { clock, backends } = fakeCluster(endpoints, options);
  const rotation = computeRotation(backends, null);
  const picks = new BackendPicker(leastRequestsPolicy(seededRandom(1)), rotation, clock, seededRandom(2));
  picks.setRotation(rotation);
  return { backends, picks };
}

test('a repeated attempt waits for an untried backend rather than go back to a tried one', () => {
  const { backends, picks } = picker(2);
  const tried = backends.slice(0, 1);
  assert.equal(picks.pick(tried), backends[1]);
  upstreamOf(backends[1]).max = 0;
  assert.equal(picks.pick(tried), null);
});

test('with a single endpoint a repeated attempt goes to it again', () => {
  const { backends, picks } = picker(1);
  assert.equal(picks.pick(backends), backends[0]);
});

test('a repeated attempt goes to a backup before it goes back to a backend that it has tried', () => {
  const { backends, picks } = picker(2, { tiers: [0, 1] });
  assert.equal(picks.pick([]), backends[0]);
  assert.equal(picks.pick(backends.slice(0, 1)), backends[1]);
  assert.equal(picks.pick(backends), backends[0]);
});

test('a first attempt never goes to a backup while its own tier is only busy', () => {
  const { backends, picks } = picker(2, { tiers: [0, 1] });
  upstreamOf(backends[0]).max = 0;
  assert.equal(picks.pick([]), null);
});
