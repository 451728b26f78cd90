// A cluster across plans: each kind of state lives as long as the settings that gave it its meaning.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundCluster } from '../../src/http/data_plane.ts';
import { assembleCluster } from '../../src/lifecycle/assemble_cluster.ts';
import type { Backend } from '../../src/load_balancer/backend.ts';
import { leased } from '../load_balancer/fake_cluster.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

checkLeaks();

const ENDPOINTS = ['127.0.0.1:1', '127.0.0.1:2'];
const PASSIVE = { health: { passive: { consecutiveFailures: 1, ejectFor: '30s' } } };

function assembler() {
  const parts = runtimeOnFakeClock(planOf(forwardTo(ENDPOINTS)));
  const assemble = (cluster: Record<string, unknown> = {}, endpoints: readonly unknown[] = ENDPOINTS) => {
    const settings = planOf(forwardTo(endpoints, { cluster })).clusters['app'];
    assert(settings !== undefined);
    const bound = assembleCluster(settings, parts.runtime);
    parts.runtime.registry.retainUsed();
    return bound;
  };
  return { ...parts, assemble };
}

function backendOf({ pool }: BoundCluster, at = 0): Backend {
  const backend = pool.backends[at];
  assert(backend !== undefined);
  return backend;
}

test('the same cluster in the next plan is the same pool, with its backends', () => {
  const { assemble } = assembler();
  const before = assemble();
  const after = assemble();
  assert.equal(after.pool, before.pool);
  assert.deepEqual(after.pool.backends, before.pool.backends);
});

test('a change of the pool keeps connections and health, and makes another pool', () => {
  const { assemble } = assembler();
  const before = assemble({ pool: { connections: 4 } });
  const after = assemble({ pool: { connections: 2 } });
  assert.notEqual(after.pool, before.pool);
  assert.equal(backendOf(after).upstream, backendOf(before).upstream, 'or there would be six for a while');
  assert.equal(backendOf(after).health, backendOf(before).health);
  const { upstream } = backendOf(after);
  const slots = [upstream.take(), upstream.take(), upstream.take()];
  assert.deepEqual(
    slots.map(slot => slot !== null),
    [true, true, false],
    'the new limit holds in it',
  );
  for (const slot of slots) if (slot !== null) upstream.release(slot);
});

test('another protocol needs other connections, and what is known of the endpoint stays', () => {
  const { assemble } = assembler();
  const before = assemble({ protocol: 'http1' });
  const after = assemble({ protocol: 'h2c' });
  assert.notEqual(backendOf(after).upstream, backendOf(before).upstream);
  assert.equal(backendOf(after).health, backendOf(before).health);
  assert.equal(backendOf(after).adminState, backendOf(before).adminState);
});

test('an endpoint that is ejected stays so while the rule is the same, and is judged anew under another', () => {
  const { assemble } = assembler();
  const before = assemble(PASSIVE);
  backendOf(before).passive?.record('failure', 'connect_refused', () => true);
  assert.equal(backendOf(before).health.isEligible, false);
  assert.equal(backendOf(assemble({ ...PASSIVE, pool: { queue: 7 } })).health.isEligible, false);
  const other = { health: { passive: { consecutiveFailures: 3, ejectFor: '30s' } } };
  assert.equal(backendOf(assemble(other)).health.isEligible, true);
});

test('an ejection is an event with the cluster, the endpoint and the cause', () => {
  const { assemble, lines } = assembler();
  backendOf(assemble(PASSIVE)).passive?.record('failure', 'connect_refused', () => true);
  const [line] = lines.find({ event: 'health_changed' });
  assert.deepEqual([line?.cluster, line?.endpoint, line?.to], ['app', '127.0.0.1:1', 'ejected']);
});

test('what an operator has drained stays drained, whatever else is changed in the cluster', () => {
  const { assemble, clock } = assembler();
  backendOf(assemble()).adminState.setDrained(true, clock.nowMs());
  const after = assemble({ ...PASSIVE, protocol: 'h2c', loadBalancing: { policy: 'roundRobin' } });
  assert.deepEqual(
    after.pool.backends.map(({ adminState }) => adminState.isDrained),
    [true, false],
  );
});

test('an endpoint that the plan no longer names takes its connections with it, and what was done to it by hand is remembered', () => {
  const { assemble, clock } = assembler();
  const before = assemble();
  const { upstream, adminState } = backendOf(before, 1);
  adminState.setDrained(true, clock.nowMs());
  const [one = '', two = ''] = ENDPOINTS;
  assert.deepEqual(
    assemble({}, [one]).pool.backends.map(({ name }) => name),
    [one],
  );
  const after = backendOf(assemble({}, [one, two]), 1);
  assert.equal(
    after.adminState.isDrained,
    true,
    'a plan that is undone a minute later changes nothing of that',
  );
  assert.notEqual(after.upstream, upstream);
});

test('round robin goes on where it was', () => {
  const { assemble } = assembler();
  const policy = { loadBalancing: { policy: 'roundRobin' } };
  const next = ({ pool }: BoundCluster) => leased(pool).backend.name;
  const names = [next(assemble(policy)), next(assemble({ ...policy, pool: { queue: 7 } }))];
  assert.equal(new Set(names).size, 2, names.join(' '));
});

test('probes run for as long as the plan asks for them, and one timer goes with each', () => {
  const { assemble, clock, runtime } = assembler();
  assemble();
  assert.equal(clock.pendingTimers, 0);
  assemble({ health: { active: { tcp: true } } });
  assert(clock.pendingTimers > 0);
  assemble();
  runtime.registry.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('the circuit of the cluster is told as one, that of an endpoint with its endpoint', () => {
  const { assemble, lines } = assembler();
  const bound = assemble({ circuitBreaker: { failureRatio: 0.5, minRequests: 1 } });
  for (const circuit of [backendOf(bound).circuit]) {
    const permit = circuit?.admit();
    assert(permit !== undefined && permit !== 'refused');
    circuit?.settle(permit, 'failure', 'connect_refused');
  }
  const [line] = lines.find({ event: 'circuit_changed' });
  assert.deepEqual([line?.cluster, line?.endpoint, line?.to], ['app', '127.0.0.1:1', 'open']);
});
