// What is said of an endpoint in the status, on its page and in a decision record.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../../src/admin/endpoint_condition.ts';
import { settleLease } from '../../src/load_balancer/lease.ts';
import { fakeCluster, leased } from '../load_balancer/fake_cluster.ts';

test('a request that fails is the last error, also where no health check asks', () => {
  const { clock, backends, pool } = fakeCluster(1);
  const condition = () => {
    const { state, lastError, lastErrorAgoMs } = conditionOf(
      backends[0] as (typeof backends)[0],
      clock.nowMs(),
    );
    return [state, lastError, lastErrorAgoMs];
  };
  settleLease(leased(pool), 'success', 'status 200');
  assert.deepEqual(condition(), ['unchecked', null, null]);
  settleLease(leased(pool), 'failure', 'connect_refused');
  clock.advance(3_000);
  assert.deepEqual(condition(), ['unchecked', 'connect_refused', 3_000]);
});

test('an open circuit says why it opened and for how long', () => {
  const { clock, backends, pool } = fakeCluster(1, { circuit: true });
  const [backend] = backends;
  assert.ok(backend);
  assert.equal(conditionOf(backend, clock.nowMs()).circuitWhy, null);
  settleLease(leased(pool), 'failure', 'connect_refused');
  clock.advance(1_500);
  const { circuit, circuitWhy } = conditionOf(backend, clock.nowMs());
  assert.deepEqual(
    [circuit, circuitWhy],
    ['open', '1 of 1 requests failed within 1 s, most recently connect_refused (for another 3.5 s)'],
  );
  clock.advance(3_500);
  leased(pool);
  assert.match(String(conditionOf(backend, clock.nowMs()).circuitWhy), /one request is probing the endpoint/);
});

test('what an operator has drained is drained since then, whatever its health', () => {
  const { clock, backends } = fakeCluster(1, { probes: { healthyAfter: 1, unhealthyAfter: 1 } });
  const [backend] = backends;
  assert.ok(backend);
  backend.health.onProbe(true, 'status 200', clock.nowMs());
  clock.advance(9_000);
  assert.deepEqual(stateAndSince(), ['healthy', 9_000]);
  backend.adminState.setDrained(true, clock.nowMs());
  clock.advance(1_000);
  assert.deepEqual(stateAndSince(), ['drained', 1_000]);

  function stateAndSince() {
    const { state, sinceMs } = conditionOf(backend as NonNullable<typeof backend>, clock.nowMs());
    return [state, sinceMs];
  }
});
