// What an operator has taken out stays out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, fakeCluster, leased } from './fake_cluster.ts';

test('a drained endpoint gets nothing new, not even in panic, until it is ready again', () => {
  const { backends, pool } = fakeCluster(2, { slots: 9, panicBelow: 0.9 });
  assert.equal(backends[0]?.adminState.setDrained(true, 5), true);
  assert.equal(backends[0]?.adminState.setDrained(true, 5), false, 'it was so before');
  for (let count = 0; count < 5; count++) assert.equal(leased(pool).backend, backends[1]);
  backends[1]?.adminState.setDrained(true, 5);
  assert.equal(ask(pool).failure?.kind, 'no_healthy_backend');
  backends[0]?.adminState.setDrained(false, 5);
  assert.equal(leased(pool).backend, backends[0]);
});
