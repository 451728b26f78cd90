import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassiveHealth } from '../../src/health/passive.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import { Backend } from '../../src/load_balancer/backend.ts';
import { type Lease, settleLease } from '../../src/load_balancer/lease.ts';
import { LeastRequestsPolicy } from '../../src/load_balancer/least_conn.ts';
import { ClusterPool, type LeaseWant } from '../../src/load_balancer/pool.ts';
import type { Upstream, UpstreamSlot } from '../../src/net/upstream.ts';
import { CircuitBreaker } from '../../src/resilience/circuit_breaker.ts';
import type { Failure } from '../../src/resilience/failure.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

/** So many slots, which do nothing. */
class FakeUpstream implements Upstream {
  readonly #max: number;
  inUse = 0;
  constructor(max: number) {
    this.#max = max;
  }
  get counts() {
    return { open: this.inUse, inUse: this.inUse };
  }
  get hasRoom() {
    return this.inUse < this.#max;
  }
  take(): UpstreamSlot | null {
    if (!this.hasRoom) return null;
    this.inUse++;
    return {} as UpstreamSlot;
  }
  release(): void {
    this.inUse--;
  }
  onRoom() {
    return () => {};
  }
  retire(): void {}
  destroy(): void {}
}

interface Setup {
  readonly slots?: number;
  readonly queueMax?: number;
  readonly circuit?: boolean;
  readonly passive?: boolean;
}

function pool(endpoints: number, { slots = 1, queueMax = 2, circuit = false, passive = false }: Setup = {}) {
  const clock = new FakeClock();
  const backends = Array.from({ length: endpoints }, (_, at) => {
    const health = new EndpointHealth(null, clock.nowMs());
    return new Backend(`b${at}`, 1, {
      upstream: new FakeUpstream(slots),
      health,
      passive: passive
        ? new PassiveHealth({ consecutiveFailures: 2, ejectMs: 1_000, ejectedRatioMax: 0.5 }, health, clock)
        : null,
      circuit: circuit
        ? new CircuitBreaker(
            { failureRatio: 0.5, requestsMin: 1, windowMs: 1_000, openMs: 5_000 },
            clock,
            () => {},
          )
        : null,
    });
  });
  const settings = {
    connectionsMax: slots,
    queueMax,
    queueMs: 100,
    idleMs: 1_000,
    requestsMax: null,
    ageMsMax: null,
    connectMs: 100,
  };
  const subject = new ClusterPool(
    'c',
    backends,
    settings,
    new LeastRequestsPolicy(seededRandom(1)),
    Math.max(1, endpoints >> 1),
    clock,
  );
  return { clock, backends, subject };
}

class Want implements LeaseWant {
  tried: Backend[] = [];
  lease: Lease | null = null;
  failure: Failure | null = null;
  onLease(lease: Lease): void {
    this.lease = lease;
  }
  onRefused(failure: Failure): void {
    this.failure = failure;
  }
}

function ask(subject: ClusterPool, tried: Backend[] = []): Want {
  const want = new Want();
  want.tried = tried;
  subject.lease(want);
  return want;
}

test('a lease comes at once while there is room; then requests wait in order and are served in order', () => {
  const { clock, subject } = pool(1);
  const first = ask(subject);
  const second = ask(subject);
  const third = ask(subject);
  assert(first.lease !== null);
  assert.deepEqual([second.lease, third.lease, subject.queueDepth], [null, null, 2]);
  clock.advance(40);
  settleLease(first.lease, 'success', '200');
  assert.equal((second as Want).lease?.waitedMs, 40);
  assert.equal(third.lease, null);
});

test('the queue is bounded in length and in time', () => {
  const { clock, subject } = pool(1);
  ask(subject);
  const waiting = ask(subject);
  clock.advance(50);
  const later = ask(subject);
  assert.deepEqual(ask(subject).failure, { kind: 'queue_full', limit: 2 });
  clock.advance(50);
  assert.deepEqual(waiting.failure, { kind: 'queue_timeout', afterMs: 100 });
  assert.equal(later.failure, null, 'its wait began later');
  clock.advance(50);
  assert.deepEqual(later.failure, { kind: 'queue_timeout', afterMs: 100 });
  assert.equal(clock.pendingTimers, 0);
});

test('a want that is withdrawn hears nothing, and leaves no timer', () => {
  const { clock, subject } = pool(1);
  const holder = ask(subject);
  const gone = ask(subject);
  subject.cancel(gone);
  assert(holder.lease !== null);
  settleLease(holder.lease, 'success', '200');
  assert.deepEqual([gone.lease, gone.failure, clock.pendingTimers], [null, null, 0]);
});

test('an untried backend is preferred; with none left, a tried one is better than nothing', () => {
  const { backends, subject } = pool(2, { slots: 10 });
  const [a, b] = backends as [Backend, Backend];
  for (let count = 0; count < 20; count++) {
    const { lease } = ask(subject, [a]);
    assert.equal(lease?.backend, b);
    settleLease(lease, 'success', '200');
  }
  assert.notEqual(ask(subject, [a, b]).lease, null);
});

test('without an eligible backend the answer is no_healthy_backend, with open circuits circuit_open', () => {
  const { clock, backends, subject } = pool(1, { circuit: true });
  const { lease } = ask(subject);
  assert(lease !== null);
  settleLease(lease, 'failure', 'status 500');
  assert.deepEqual(ask(subject).failure, { kind: 'circuit_open', retryAfterMs: 5_000 });
  clock.advance(5_000);
  assert.notEqual(ask(subject).lease, null, 'the probe');
  backends[0]?.health.eject('test', clock.nowMs());
  assert.deepEqual(ask(subject).failure, { kind: 'no_healthy_backend', cluster: 'c' });
});

test('a lease is settled once', () => {
  const { lease } = ask(pool(1).subject);
  assert(lease !== null);
  settleLease(lease, 'success', '200');
  assert.throws(() => settleLease(lease, 'success', '200'));
});

test('in a storm of failures no more than the allowed share is out, no ineligible one is leased, nothing is left', () => {
  const seed = 42;
  const random = seededRandom(seed);
  const { clock, backends, subject } = pool(100, { slots: 3, queueMax: 50, passive: true });
  const held: Lease[] = [];
  for (let step = 0; step < 30_000; step++) {
    clock.advance(random.unit() * 5);
    const want = ask(subject);
    if (want.lease !== null) {
      assert.ok(want.lease.backend.health.isEligible, `seed ${seed}, step ${step}`);
      held.push(want.lease);
    }
    while (held.length > 0 && random.unit() < 0.55) {
      const [lease] = held.splice(Math.floor(random.unit() * held.length), 1);
      if (lease !== undefined) settleLease(lease, random.unit() < 0.4 ? 'failure' : 'success', 'storm');
    }
    const out = backends.filter(({ health }) => health.isEjected).length;
    assert.ok(out <= 50, `seed ${seed}, step ${step}: ${out} are out`);
  }
  for (const lease of held) settleLease(lease, 'abandoned', 'end');
  clock.advance(3_600_000);
  assert.ok(backends.every(({ inFlight, health }) => inFlight === 0 && !health.isEjected));
  assert.equal(clock.pendingTimers, 0);
});
