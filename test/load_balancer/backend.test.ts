import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backend } from '../../src/load_balancer/backend.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { fakeBackend, upstreamOf } from './fake_cluster.ts';

test('a backend is eligible by weight and health, and ready by its connections and its circuit', () => {
  const clock = new FakeClock();
  const backend = fakeBackend(0, clock, { circuit: true });
  assert.deepEqual([backend.isEligible, backend.admits, backend.isReady], [true, true, true]);
  upstreamOf(backend).max = 0;
  assert.deepEqual([backend.isEligible, backend.isReady], [true, false]);
  upstreamOf(backend).max = 1;
  const permit = backend.circuit?.admit();
  if (permit !== undefined && permit !== 'refused') backend.circuit?.settle(permit, 'failure', 'status 500');
  assert.deepEqual([backend.isEligible, backend.admits, backend.isReady], [true, false, false]);
  clock.advance(5_000);
  assert.equal(backend.isReady, true);
  backend.health.eject('test', clock.nowMs());
  assert.equal(backend.isEligible, false);
  assert.equal(fakeBackend(0, clock, { weights: [0] }).isEligible, false, 'a weight of 0 takes no traffic');
});

test('the capacity belongs to the connections, so two plans share it', () => {
  const backend = fakeBackend(0, new FakeClock());
  assert.equal(
    new Backend({ name: 'again', label: 'again', weight: 2, tier: 0 }, backend).capacity,
    backend.capacity,
  );
});
