import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backend } from '../../src/load_balancer/backend.ts';
import { type Lease, settleLease } from '../../src/load_balancer/lease.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { ask, fakeBackend, fakeCluster, fakePool, leased, upstreamOf, Want } from './fake_cluster.ts';

test('a lease comes at once while there is capacity; then requests wait in order and are served in order', () => {
  const { clock, pool } = fakeCluster(1);
  const first = ask(pool);
  const second = ask(pool);
  const third = ask(pool);
  assert.deepEqual([second.lease, third.lease, pool.queueDepth], [null, null, 2]);
  clock.advance(40);
  assert.ok(first.lease);
  settleLease(first.lease, 'success', '200');
  assert.deepEqual([first.waitedMs, second.waitedMs, third.lease], [0, 40, null]);
  clock.advance(20);
  assert.equal(pool.cancel(third), 60, 'whoever is withdrawn has waited too');
});

test('the queue is bounded in length and in time', () => {
  const { clock, pool } = fakeCluster(1);
  ask(pool);
  const waiting = ask(pool);
  clock.advance(50);
  const later = ask(pool);
  assert.deepEqual(ask(pool).failure, { kind: 'queue_full', limit: 2 });
  clock.advance(49);
  assert.equal(waiting.failure, null, '1 ms before the wait is over');
  clock.advance(1);
  assert.deepEqual([waiting.failure, waiting.waitedMs], [{ kind: 'queue_timeout', afterMs: 100 }, 100]);
  assert.equal(later.failure, null, 'its wait began later');
  clock.advance(50);
  assert.deepEqual(later.failure, { kind: 'queue_timeout', afterMs: 100 });
  assert.deepEqual([clock.pendingTimers, pool.queueDepth], [0, 0]);
});

test('a request is not refused because another one has waited too long', () => {
  const { clock, pool } = fakeCluster(1);
  ask(pool);
  const older = ask(pool);
  clock.advance(1.5);
  const younger = ask(pool);
  clock.advance(98.5);
  assert.deepEqual([older.failure?.kind, younger.failure], ['queue_timeout', null]);
});

test('a withdrawn request gets no callback, and leaves no timer', () => {
  const { clock, pool } = fakeCluster(1);
  const holder = leased(pool);
  const gone = ask(pool);
  assert.equal(clock.pendingTimers, 1);
  pool.cancel(gone);
  settleLease(holder, 'success', '200');
  clock.advance(1_000);
  assert.deepEqual([gone.calls, clock.pendingTimers], [0, 0]);
});

test('a thousand waiting requests share one timer', () => {
  const { clock, pool } = fakeCluster(1, { queueMax: 1_000 });
  ask(pool);
  for (let count = 0; count < 1_000; count++) ask(pool);
  assert.deepEqual([pool.queueDepth, clock.pendingTimers], [1_000, 1]);
});

test('an untried backend is preferred; with none left, a tried one is better than nothing', () => {
  const { backends, pool } = fakeCluster(2, { slots: 10 });
  const [a, b] = backends as [Backend, Backend];
  for (let count = 0; count < 20; count++) {
    const lease = leased(pool, [a]);
    assert.equal(lease.backend, b);
    settleLease(lease, 'success', '200');
  }
  assert.notEqual(ask(pool, [a, b]).lease, null, 'all were tried');
  b.health.eject('test', 0);
  assert.equal(leased(pool, [a]).backend, a, 'the only one left was tried');
});

test('a repeated attempt waits for the untried backend and lets a first attempt have the other one', () => {
  const { backends, pool } = fakeCluster(2);
  const leases = new Map([leased(pool), leased(pool)].map(lease => [lease.backend, lease]));
  const [a, b] = backends as [Backend, Backend];
  const again = ask(pool, [a]);
  const first = ask(pool);
  settleLease(leases.get(a) as Lease, 'success', '200');
  assert.deepEqual([again.lease, first.lease?.backend], [null, a]);
  settleLease(leases.get(b) as Lease, 'success', '200');
  assert.equal(again.lease?.backend, b);
});

test('a repeated attempt does not wait for a backend whose circuit is open', () => {
  const { backends, pool } = fakeCluster(2, { circuit: true });
  const [a, b] = backends as [Backend, Backend];
  settleLease(leased(pool, [a]), 'failure', 'status 500');
  assert.equal(b.circuit?.state.kind, 'open');
  assert.equal(leased(pool, [a]).backend, a);
});

test('a repeated attempt that waits goes back to a tried backend when the other one fails', () => {
  const { backends, pool } = fakeCluster(2, { circuit: true });
  const [a, b] = backends as [Backend, Backend];
  const busy = leased(pool, [a]);
  assert.equal(busy.backend, b);
  const again = ask(pool, [a]);
  assert.equal(again.calls, 0, 'it waits for b, although a is free');
  settleLease(busy, 'failure', 'status 500');
  assert.equal(again.lease?.backend, a);
});

test('without an eligible backend the answer is no_healthy_backend, with open circuits circuit_open', () => {
  const { clock, backends, pool } = fakeCluster(1, { circuit: true });
  settleLease(leased(pool), 'failure', 'status 500');
  clock.advance(1_000);
  const why = '1 of 1 requests failed within 1 s, most recently status 500';
  assert.deepEqual(ask(pool).failure, { kind: 'circuit_open', retryAfterMs: 4_000, why }, 'the time left');
  clock.advance(4_000);
  leased(pool);
  assert.equal(ask(pool).failure?.kind, 'circuit_open', 'one probe at a time');
  backends[0]?.health.eject('test', clock.nowMs());
  assert.deepEqual(ask(pool).failure, { kind: 'no_healthy_backend', cluster: 'c', why: '1 ejected (test)' });
});

test('waiting requests are refused at once when the last backend goes out', () => {
  const { clock, backends, pool } = fakeCluster(2);
  for (let count = 0; count < 2; count++) leased(pool);
  const [one, two] = [ask(pool), ask(pool)];
  backends[0]?.health.eject('test', clock.nowMs());
  assert.deepEqual([one.calls, two.calls], [0, 0], 'there is another one to wait for');
  backends[1]?.health.eject('test', clock.nowMs());
  assert.deepEqual([one.failure?.kind, two.failure?.kind], ['no_healthy_backend', 'no_healthy_backend']);
  assert.equal(clock.pendingTimers, 0);
});

test('waiting requests are refused at once when the last circuit opens, and one of them becomes the probe', () => {
  const { clock, backends, pool } = fakeCluster(2, { circuit: true, queueTimeoutMs: 60_000 });
  const [a, b] = [leased(pool), leased(pool)];
  const waiting = ask(pool);
  settleLease(a, 'failure', 'status 500');
  assert.equal(waiting.calls, 0, 'the other circuit is closed');
  clock.advance(4_999);
  assert.equal(waiting.calls, 0);
  clock.advance(1);
  assert.equal(waiting.lease?.backend, a.backend, 'the pause is over: nobody had to come by');
  const next = ask(pool);
  settleLease(b, 'failure', 'status 500');
  assert.equal(next.failure?.kind, 'circuit_open');
  assert.ok(backends.every(({ admits }) => !admits));
});

test('a recovered backend serves the waiting requests', () => {
  const { clock, backends, pool } = fakeCluster(2, { slots: 2, queueMax: 10 });
  backends[1]?.health.eject('test', clock.nowMs());
  leased(pool);
  leased(pool);
  const waiting = [ask(pool), ask(pool), ask(pool)];
  backends[1]?.health.readmit(clock.nowMs());
  assert.deepEqual(
    waiting.map(({ lease }) => lease?.backend.name),
    ['b1', 'b1', undefined],
  );
});

test('a connection that comes free without a release serves a waiting request', () => {
  const { backends, pool } = fakeCluster(1, { slots: 0 });
  const waiting = ask(pool);
  upstreamOf(backends[0]).addCapacity(1);
  assert.notEqual(waiting.lease, null);
});

test('a backend of weight 0 gets nothing, and a cluster of only such backends has none', () => {
  const { pool } = fakeCluster(2, { weights: [0, 1], slots: 9 });
  for (let count = 0; count < 9; count++) assert.equal(leased(pool).backend.name, 'b1');
  assert.equal(ask(pool, []).lease, null);
  assert.equal(ask(fakeCluster(1, { weights: [0] }).pool).failure?.kind, 'no_healthy_backend');
});

test('passive health never takes out the last backend that serves, however many it may', () => {
  const { clock, backends, pool } = fakeCluster(4, { slots: 100, passive: true, ejectedRatioMax: 1 });
  backends[3]?.health.eject('as if by probes', clock.nowMs());
  for (let count = 0; count < 100; count++) settleLease(leased(pool), 'failure', 'status 500');
  assert.equal(pool.eligibleCount, 1);
});

test('what one pool gives back, a request that waits in the pool of another plan may take', () => {
  const clock = new FakeClock();
  const backend = fakeBackend(0, clock);
  const older = fakePool([backend], clock);
  const newer = fakePool([new Backend({ name: 'b0', label: 'b0', weight: 1, tier: 0 }, backend)], clock);
  const held = leased(older);
  const waiting = ask(newer);
  older.dispose();
  settleLease(held, 'success', '200');
  assert(waiting.lease !== null, 'after a reload the connections are shared');
  const behind = ask(older);
  assert.equal(behind.calls, 0, 'a retired pool still lets requests wait');
  settleLease(waiting.lease, 'success', '200');
  assert.notEqual(behind.lease, null, 'and serves them');
});

test('a retired pool knows the present state of its backends', () => {
  const { clock, backends, pool } = fakeCluster(2, { slots: 9 });
  backends[0]?.health.eject('before the reload', clock.nowMs());
  pool.dispose();
  for (let count = 0; count < 9; count++) assert.equal(leased(pool).backend.name, 'b1');
  backends[1]?.health.eject('after the reload', clock.nowMs());
  backends[0]?.health.readmit(clock.nowMs());
  assert.equal(leased(pool).backend.name, 'b0');
});

test('a whole queue of requests that end at once is served without a deep stack', () => {
  const { pool } = fakeCluster(1, { queueMax: 20_000 });
  const holder = leased(pool);
  let served = 0;
  class Hasty extends Want {
    override onLease(lease: Lease): void {
      served++;
      settleLease(lease, 'success', '200');
    }
  }
  for (let count = 0; count < 20_000; count++) pool.lease(new Hasty());
  settleLease(holder, 'success', '200');
  assert.deepEqual([served, pool.queueDepth], [20_000, 0]);
});

test('a backup serves only while its betters cannot, and gives back what it has', () => {
  const { clock, backends, pool } = fakeCluster(3, { slots: 9, tiers: [0, 0, 1] });
  const names = () =>
    new Set(
      Array.from({ length: 6 }, () => {
        const lease = leased(pool);
        settleLease(lease, 'success', '200');
        return lease.backend.name;
      }),
    );
  assert.deepEqual([...names()].sort(), ['b0', 'b1']);
  backends[0]?.health.eject('test', clock.nowMs());
  assert.deepEqual([...names()], ['b1']);
  backends[1]?.health.eject('test', clock.nowMs());
  assert.deepEqual([...names()], ['b2']);
  backends[0]?.health.readmit(clock.nowMs());
  assert.deepEqual([...names()], ['b0']);
});

test('after a change of backends, waiting requests get the new ones, and those in flight finish on the old ones', () => {
  const { clock, pool } = fakeCluster(1);
  const held = leased(pool);
  const waiting = ask(pool);
  const next = fakeBackend(7, clock);
  pool.setBackends([next], null);
  assert.equal(waiting.lease?.backend, next);
  const behind = ask(pool);
  settleLease(held, 'success', '200');
  assert.equal(behind.lease, null, 'what an old one gives back is no capacity any more');
  assert.deepEqual([pool.backends, pool.eligibleCount], [[next], 1]);
});

test('without any backend requests wait for the first one, unless its name does not resolve', () => {
  const clock = new FakeClock();
  const pool = fakePool([], clock);
  const early = ask(pool);
  assert.equal(early.calls, 0, 'the name is being looked up');
  pool.setBackends([], { kind: 'dns_failed', code: 'ENOTFOUND', name: 'a.test' });
  assert.deepEqual(
    early.failure,
    { kind: 'dns_failed', code: 'ENOTFOUND', name: 'a.test' },
    'nobody waits for what will not come',
  );
  assert.equal(ask(pool).failure?.kind, 'dns_failed');
  pool.setBackends([fakeBackend(0, clock)], null);
  assert.notEqual(ask(pool).lease, null);
});

test('in panic every backend is eligible, also those that health has taken out', () => {
  const { clock, backends, pool } = fakeCluster(4, { slots: 9, panicBelow: 0.5 });
  for (const at of [0, 1, 2]) backends[at]?.health.eject('test', clock.nowMs());
  assert.deepEqual([pool.isPanicking, pool.eligibleCount], [true, 4]);
  backends[0]?.health.readmit(clock.nowMs());
  assert.deepEqual([pool.isPanicking, pool.eligibleCount], [false, 2]);
});

test('a backend in slow start gets a growing share, and everything when no other is left', () => {
  const { clock, backends, pool } = fakeCluster(2, { slots: 999, slowStartMs: 10_000 });
  const share = () => {
    let count = 0;
    for (let at = 0; at < 400; at++) {
      const lease = leased(pool);
      settleLease(lease, 'success', '200');
      if (lease.backend === backends[0]) count++;
    }
    return count / 400;
  };
  backends[0]?.health.eject('test', clock.nowMs());
  backends[0]?.health.readmit(clock.nowMs());
  const shares = [0, 5_000, 5_000].map(ms => {
    clock.advance(ms);
    return share();
  });
  assert.ok(Math.abs((shares[0] ?? 0) - 0.05) < 0.04, `${shares[0]}: a tenth of the usual half`);
  assert.ok(Math.abs((shares[1] ?? 0) - 0.25) < 0.08, `${shares[1]}: half of it`);
  assert.ok(Math.abs((shares[2] ?? 0) - 0.5) < 0.08, `${shares[2]} when it is warm`);

  for (const backend of backends) backend.health.eject('test', clock.nowMs());
  backends[1]?.health.readmit(clock.nowMs());
  assert.equal(share(), 0);
  assert.equal(ask(pool).failure, null);
});

test('when no backend is left, ejected ones come back, unless probes report them as unhealthy', () => {
  const probes = { healthyAfter: 1, unhealthyAfter: 1 };
  const { clock, backends, pool } = fakeCluster(3, { slots: 9, passive: true, probes, ejectedRatioMax: 0.7 });
  const [alive, dead, last] = backends as [Backend, Backend, Backend];
  for (const backend of backends) backend.health.onProbe(true, '200', clock.nowMs());
  for (const backend of [alive, dead])
    for (let count = 0; count < 2; count++) backend.passive?.record('failure', 'status 500', pool.mayEject);
  dead.health.onProbe(false, '500', clock.nowMs());
  assert.equal(pool.eligibleCount, 1);
  last.health.onProbe(false, '500', clock.nowMs());
  assert.deepEqual(
    backends.map(({ health }) => health.state),
    ['healthy', 'ejected', 'unhealthy'],
  );
  assert.equal(leased(pool).backend, alive);
});

test('a backup serves while the circuits of all before it are open, and no longer', () => {
  const { clock, backends, pool } = fakeCluster(2, { slots: 3, tiers: [0, 1], circuit: true });
  const [first, backup] = backends;
  settleLease(leased(pool), 'failure', 'status 500');
  assert.equal(leased(pool).backend, backup, 'the circuit of the first is open');
  clock.advance(5_000);
  const probe = leased(pool);
  assert.equal(probe.backend, first, 'it may be asked again');
  assert.equal(leased(pool).backend, backup, 'nobody waits for what the probe says');
  settleLease(probe, 'success', 'status 200');
  assert.equal(leased(pool).backend, first);
});

test('a repeated request goes to a backup rather than to the backend that has failed it', () => {
  const { backends, pool } = fakeCluster(2, { slots: 3, tiers: [0, 1] });
  const [first, backup] = backends;
  assert.ok(first);
  const want = new Want([first]);
  pool.lease(want);
  assert.equal(want.lease?.backend, backup);
});

test('the last one of all tiers is not ejected; one with a backup is', () => {
  const passive = { consecutiveFailures: 1, failureShare: null, ejectMs: 1_000, ejectedRatioMax: 1 };
  const { backends, pool } = fakeCluster(2, { slots: 3, tiers: [0, 1], passive });
  settleLease(leased(pool), 'failure', 'connect_refused');
  assert.equal(backends[0]?.health.isEjected, true);
  settleLease(leased(pool), 'failure', 'connect_refused');
  assert.equal(backends[1]?.health.isEjected, false);
});

test('a cluster works as long as one endpoint of it does', () => {
  const { pool } = fakeCluster(2, { slots: 3, circuit: true });
  settleLease(leased(pool), 'failure', 'status 500');
  assert.equal(pool.hasWorking, true);
  settleLease(leased(pool), 'failure', 'status 500');
  assert.equal(pool.hasWorking, false);
});
