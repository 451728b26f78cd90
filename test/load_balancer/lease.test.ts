import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeLease, outcomeOfFailure, outcomeOfStatus, settleLease } from '../../src/load_balancer/lease.ts';
import { FAILURE_RULES, type FailureKind } from '../../src/resilience/failure.ts';
import { ask, fakeCluster, leased, upstreamOf } from './fake_cluster.ts';

const FAILURE_KINDS = Object.keys(FAILURE_RULES) as FailureKind[];

test('a lease is settled once; the second time is a bug and changes nothing', () => {
  const { backends, pool } = fakeCluster(1, { slots: 3 });
  const lease = leased(pool);
  leased(pool);
  assert.deepEqual([backends[0]?.inFlight, upstreamOf(backends[0]).inUse], [2, 2]);
  settleLease(lease, 'success', 'status 200');
  assert.throws(() => settleLease(lease, 'success', 'status 200'), /settled once/);
  assert.deepEqual([backends[0]?.inFlight, upstreamOf(backends[0]).inUse], [1, 1]);
});

test('a waiting request does not get the backend that the request before has just shown to be broken', () => {
  const { backends, pool } = fakeCluster(2, {
    passive: { consecutiveFailures: 1, failureShare: null, ejectMs: 1_000, ejectedRatioMax: 1 },
  });
  const [one, two] = [leased(pool), leased(pool)];
  const waiting = ask(pool);
  settleLease(one, 'failure', 'status 500');
  assert.equal(one.backend.health.lastError, '1 failures in a row, most recently status 500');
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

test('only what a backend has done itself is held against it', () => {
  const outcomes = Object.fromEntries(FAILURE_KINDS.map(kind => [kind, outcomeOfFailure(kind)]));
  for (const kind of [
    'connect_refused',
    'reset_before_head',
    'response_head_timeout',
    'bad_response',
  ] as const)
    assert.equal(outcomes[kind], 'failure', kind);
  for (const kind of ['client_gone', 'client_timeout', 'local_exhausted', 'internal', 'overloaded'] as const)
    assert.equal(outcomes[kind], 'abandoned', kind);
  for (const status of [500, 502, 503, 504, 599]) assert.equal(outcomeOfStatus(status), 'failure');
  for (const status of [200, 404, 429, 499, 501, 505]) assert.equal(outcomeOfStatus(status), 'success');
});

test('what was judged while the answer went on is not judged again at its end', () => {
  const { backends, pool } = fakeCluster(1, { circuit: true });
  const lease = leased(pool);
  judgeLease(lease, 'success', 'status 200');
  assert.equal(upstreamOf(backends[0]).inUse, 1, 'the connection is still in use');
  settleLease(lease, 'failure', 'reset_in_body');
  assert.equal(backends[0]?.circuit?.state.kind, 'closed');
  assert.equal(upstreamOf(backends[0]).inUse, 0);
});
