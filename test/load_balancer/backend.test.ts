import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backend } from '../../src/load_balancer/backend.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { fakeBackend, upstreamOf } from './fake_cluster.ts';

test('a backend is ready when health, weight, connections and circuit all say so', () => {
  const clock = new FakeClock();
  const backend = fakeBackend(0, clock, { circuit: true });
  assert.deepEqual([backend.isEligible, backend.admits, backend.isReady], [true, true, true]);
  upstreamOf(backend).max = 0;
  assert.deepEqual([backend.isEligible, backend.isReady], [true, false]);
  upstreamOf(backend).max = 1;
  const permit = backend.circuit?.admit();
  if (permit !== undefined && permit !== 'refused') backend.circuit?.settle(permit, 'failure');
  assert.deepEqual([backend.isEligible, backend.admits, backend.isReady], [true, false, false]);
  clock.advance(5_000);
  assert.equal(backend.isReady, true);
  backend.health.eject('test', clock.nowMs());
  assert.deepEqual([backend.isEligible, backend.isReady], [false, false]);
  assert.equal(
    new Backend('b', 0, fakeBackend(1, clock)).isEligible,
    false,
    'a weight of 0 takes no traffic',
  );
});

test('the room belongs to the connections, so two plans share it', () => {
  const backend = fakeBackend(0, new FakeClock());
  assert.equal(new Backend('again', 2, backend).room, backend.room);
});
