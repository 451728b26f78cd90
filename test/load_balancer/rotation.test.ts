import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeRotation } from '../../src/load_balancer/rotation.ts';
import { fakeCluster } from './fake_cluster.ts';

const PROBES = { healthyAfter: 1, unhealthyAfter: 1 };

test('when no backend is left, the reason counts the backends in each state and names the last error', () => {
  const { backends, clock } = fakeCluster(4, { probes: PROBES, weights: [1, 1, 1, 0] });
  const nowMs = clock.nowMs();
  for (const { health } of backends.slice(0, 2)) health.onProbe(false, 'connect_refused', nowMs);
  backends[2]?.adminState.setDrained(true, nowMs);
  const rotation = computeRotation(backends, null);
  assert.equal(rotation.eligible.size, 0);
  assert.equal(rotation.whyNobody, '2 unhealthy (connect_refused), 1 drained, 1 with weight 0');
});

test('an ejected backend is counted and is not in rotation', () => {
  const { backends, clock } = fakeCluster(3);
  backends[0]?.health.eject('status 500', clock.nowMs());
  const { eligible, ejectedCount, whyNobody, panic } = computeRotation(backends, null);
  assert.deepEqual([[...eligible], ejectedCount, whyNobody, panic], [backends.slice(1), 1, '', false]);
});

test('below the panic threshold every backend is in rotation', () => {
  const { backends, clock } = fakeCluster(3, { probes: PROBES });
  for (const [at, { health }] of backends.entries()) health.onProbe(at === 0, 'status 500', clock.nowMs());
  assert.deepEqual([...computeRotation(backends, 0.3).eligible], [backends[0]]);
  const { eligible, panic } = computeRotation(backends, 0.4);
  assert.deepEqual([eligible.size, panic], [3, true]);
});

test('the rotation says whether a backend is in slow start', () => {
  const { backends, clock } = fakeCluster(2, { probes: PROBES, slowStartMs: 1_000 });
  const warming = () => computeRotation(backends, null).hasWarming;
  for (const { health } of backends) health.onProbe(true, '', clock.nowMs());
  assert.equal(warming(), false);
  backends[0]?.health.onProbe(false, 'status 500', clock.nowMs());
  backends[0]?.health.onProbe(true, '', clock.nowMs());
  assert.equal(warming(), true);
  clock.advance(1_000);
  assert.equal(warming(), false);
});
