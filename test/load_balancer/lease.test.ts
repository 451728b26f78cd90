import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleLease } from '../../src/load_balancer/lease.ts';
import { ask, fakeCluster, leased, upstreamOf } from './fake_cluster.ts';

test('a lease is settled once; the second time is a bug and changes nothing', () => {
  const { backends, pool } = fakeCluster(1, { slots: 3 });
  const lease = leased(pool);
  leased(pool);
  assert.deepEqual([backends[0]?.inFlight, upstreamOf(backends[0]).inUse], [2, 2]);
  settleLease(lease, 'success', 'status 200');
  assert.throws(() => settleLease(lease, 'success', 'status 200'), /settled once/);
  assert.deepEqual([backends[0]?.inFlight, upstreamOf(backends[0]).inUse], [1, 1]);
});

test('who waits does not get the backend that the request before has just shown to be broken', () => {
  const { backends, pool } = fakeCluster(2, {
    passive: { consecutiveFailures: 1, failureShare: null, ejectMs: 1_000, ejectedRatioMax: 1 },
  });
  const [one, two] = [leased(pool), leased(pool)];
  const waiting = ask(pool);
  settleLease(one, 'failure', 'status 500');
  assert.equal(one.backend.health.lastError, '1 failures in a row, the last: status 500');
  assert.equal(waiting.calls, 0);
  settleLease(two, 'success', 'status 200');
  assert.equal(waiting.lease?.backend, two.backend);
  assert.equal(backends.length, 2);
});

test('a client that leaves is not held against the backend, and frees the probe of an open circuit', () => {
  const { clock, pool } = fakeCluster(1, { circuit: true, passive: true });
  for (let count = 0; count < 10; count++) settleLease(leased(pool), 'abandoned', 'client_gone');
  settleLease(leased(pool), 'failure', 'status 500');
  clock.advance(5_000);
  settleLease(leased(pool), 'abandoned', 'client_gone');
  settleLease(leased(pool), 'success', 'status 200');
  assert.notEqual(ask(pool).lease, null);
});
