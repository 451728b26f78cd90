// Some hundred endpoints that fail and come back, under a load that grows and shrinks, in virtual time: what must
// hold at every step, whoever picks.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Prober } from '../../src/health/active.ts';
import { Outage } from '../../src/health/outage.ts';
import type { ProbeTarget } from '../../src/health/probe.ts';
import type { Backend } from '../../src/load_balancer/backend.ts';
import { eligibleEndpoints } from '../../src/load_balancer/eligible_endpoints.ts';
import { type Lease, settleLease } from '../../src/load_balancer/lease.ts';
import { leastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import type { Policy } from '../../src/load_balancer/policy.ts';
import type { ClusterPool } from '../../src/load_balancer/pool.ts';
import { randomPolicy } from '../../src/load_balancer/random.ts';
import { RoundRobinPolicy } from '../../src/load_balancer/round_robin.ts';
import type { Random } from '../../src/resilience/random.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { fakeBackend, fakePool, Want } from './fake_cluster.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);
const ENDPOINTS = 200;
const STEPS = 12_000;
const EJECTED_MAX = 60;
const SLOTS = 4;
const ACTIVE = {
  probe: { kind: 'tcp' as const },
  intervalMs: 5_000,
  timeoutMs: 1_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
};

const POLICIES: Readonly<Record<string, (random: Random) => Policy<Backend>>> = {
  roundRobin: random => new RoundRobinPolicy({ at: -1, dispose: () => {} }, random),
  leastRequests: random => leastRequestsPolicy(random),
  random: random => randomPolicy(random),
};

for (const [name, policy] of Object.entries(POLICIES)) {
  test(`${name}: in a storm of failures every promise of the pool holds (seed ${SEED})`, () => {
    const world = new World(policy);
    for (let step = 0; step < STEPS; step++) {
      world.step(step);
      world.check(`${name}, seed ${SEED}, step ${step}`);
    }
    assert.ok(world.ejections > 50, `${world.ejections} ejections: there was a storm`);
    assert.ok(world.refused > 100 && world.waited > 100, `${world.refused} refused, ${world.waited} waited`);
    world.end();
  });
}

class World {
  readonly #clock = new FakeClock();
  readonly #random = seededRandom(SEED);
  readonly #backends: Backend[] = [];
  readonly #broken = new Set<Backend>();
  readonly #silent = new Set<Backend>();
  readonly #probers: Prober[] = [];
  readonly #pool: ClusterPool;
  readonly #held: Lease[] = [];
  readonly #waiting = new Set<Watched>();
  refused = 0;
  waited = 0;
  wants = 0;
  answers = 0;

  constructor(policy: (random: Random) => Policy<Backend>) {
    const weights = Array.from({ length: ENDPOINTS }, (_, at) => at % 5);
    for (let at = 0; at < ENDPOINTS; at++) {
      const backend = fakeBackend(at, this.#clock, {
        slots: SLOTS,
        weights,
        probes: ACTIVE,
        circuit: { failureRatio: 0.5, requestsMin: 6, windowMs: 10_000, openMs: 2_000 },
        passive: {
          consecutiveFailures: 4,
          failureShare: null,
          ejectMs: 3_000,
          ejectedRatioMax: EJECTED_MAX / ENDPOINTS,
        },
      });
      this.#backends.push(backend);
      const target = { open: this.#opener(backend), authority: 'a' };
      this.#probers.push(new Prober(ACTIVE, target, backend.health, this.#clock, this.#random, new Outage()));
    }
    for (const prober of this.#probers) prober.start();
    this.#pool = fakePool(this.#backends, this.#clock, {
      queueMax: 50,
      queueTimeoutMs: 1_000,
      ejectedRatioMax: EJECTED_MAX / ENDPOINTS,
      policy: policy(this.#random),
    });
  }

  get ejections(): number {
    return this.#backends.reduce((sum, { passive }) => sum + (passive?.ejections ?? 0), 0);
  }

  step(step: number): void {
    const random = this.#random;
    this.#clock.advance(random.unit() * 20);
    if (step % 20 === 0) this.#change(step);
    const calm = Math.floor(step / 1_000) % 2 === 0;
    for (let count = random.unit() * (calm ? 4 : 40); count > 0; count--) this.#ask();
    for (let count = random.unit() * (calm ? 60 : 30); count > 0; count--) this.#settleOne();
    if (random.unit() < 0.1) {
      const [gone] = this.#waiting;
      if (gone !== undefined) {
        this.#waiting.delete(gone);
        this.answers++;
        this.#pool.cancel(gone);
      }
    }
  }

  /** Some break, some recover, some only fall silent towards probes; now and then all break. */
  #change(step: number): void {
    const random = this.#random;
    for (let count = 0; count < 6; count++) {
      const backend = this.#backends[Math.floor(random.unit() * ENDPOINTS)];
      if (backend === undefined) continue;
      const group = random.unit() < 0.7 ? this.#broken : this.#silent;
      if (random.unit() < 0.5) group.add(backend);
      else group.delete(backend);
    }
    if (step % 4_000 === 2_000) for (const backend of this.#backends) this.#broken.add(backend);
    if (step % 4_000 === 2_400) this.#broken.clear();
  }

  #ask(): void {
    const random = this.#random;
    const tried: Backend[] = [];
    while (random.unit() < 0.2 && tried.length < 2) {
      const backend = this.#backends[Math.floor(random.unit() * ENDPOINTS)];
      if (backend !== undefined && !tried.includes(backend)) tried.push(backend);
    }
    const want = new Watched(tried, this);
    this.wants++;
    this.#waiting.add(want);
    this.#pool.lease(want);
    if (this.#waiting.has(want)) this.waited++;
  }

  onLease(want: Watched, lease: Lease): void {
    this.#waiting.delete(want);
    this.answers++;
    assert.ok(lease.backend.health.isEligible, `${lease.backend.name} is out and was leased`);
    assert.ok(lease.backend.weight > 0);
    if (want.tried.includes(lease.backend)) {
      const serving = eligibleEndpoints(this.#backends, null).members;
      const other = serving.find(one => one.admits && !want.tried.includes(one));
      assert.equal(other, undefined, 'a tried backend is leased only when there is no other one');
    }
    this.#held.push(lease);
  }

  onRefused(want: Watched, kind: string): void {
    this.#waiting.delete(want);
    this.answers++;
    this.refused++;
    const serving = eligibleEndpoints(this.#backends, null).members;
    if (kind === 'no_healthy_backend') assert.equal(serving.length, 0);
    if (kind === 'circuit_open') assert.ok(serving.every(({ admits }) => !admits));
    if (kind === 'queue_full') assert.ok(this.#pool.queueDepth >= 50);
  }

  #settleOne(): void {
    const [lease] = this.#held.splice(Math.floor(this.#random.unit() * this.#held.length), 1);
    if (lease === undefined) return;
    const luck = this.#random.unit();
    if (luck < 0.05) settleLease(lease, 'abandoned', 'client_gone');
    else if (luck < (this.#broken.has(lease.backend) ? 0.95 : 0.06))
      settleLease(lease, 'failure', 'status 500');
    else settleLease(lease, 'success', 'status 200');
  }

  #opener(backend: Backend): ProbeTarget['open'] {
    return callback => {
      if (this.#silent.has(backend)) return () => {};
      const delayMs = this.#random.unit() * 100;
      const socket = { destroy: () => {} } as unknown as Socket;
      const timer = this.#clock.setTimer(
        () =>
          this.#broken.has(backend)
            ? callback({ kind: 'connect_refused', code: 'ECONNREFUSED' }, null)
            : callback(null, socket),
        delayMs,
        undefined,
      );
      return () => this.#clock.cancelTimer(timer);
    };
  }

  check(where: string): void {
    const out = this.#backends.filter(({ health }) => health.isEjected).length;
    assert.ok(out <= EJECTED_MAX, `${where}: ${out} are ejected`);
    let leases = 0;
    for (const { inFlight } of this.#backends) {
      assert.ok(inFlight >= 0 && inFlight <= SLOTS, `${where}: ${inFlight} in flight`);
      leases += inFlight;
    }
    assert.equal(leases, this.#held.length, where);
    assert.equal(this.#pool.queueDepth, this.#waiting.size, where);
    const isFirstWaiting = [...this.#waiting].some(({ tried }) => tried.length === 0);
    if (isFirstWaiting) {
      const ready = eligibleEndpoints(this.#backends, null).members.find(({ isReady }) => isReady);
      assert.equal(ready, undefined, `${where}: a first attempt waits while ${ready?.name} is ready`);
    }
    assert.equal(this.answers + this.#waiting.size, this.wants, `${where}: each want hears one answer`);
  }

  /** Everything ends, and nothing is left. */
  end(): void {
    for (const prober of this.#probers) prober.dispose();
    while (this.#held.length > 0) this.#settleOne();
    this.#clock.advance(3_600_000);
    assert.deepEqual([this.#pool.queueDepth, this.#waiting.size], [0, 0]);
    assert.ok(this.#backends.every(({ inFlight, health }) => inFlight === 0 && !health.isEjected));
    assert.equal(this.#clock.pendingTimers, 0);
  }
}

/** A want that tells the world; hearing twice is a bug. */
class Watched extends Want {
  readonly #world: World;
  constructor(tried: readonly Backend[], world: World) {
    super(tried);
    this.#world = world;
  }
  override onLease(lease: Lease, waitedMs: number): void {
    super.onLease(lease, waitedMs);
    assert.equal(this.calls, 1);
    this.#world.onLease(this, lease);
  }
  override onRefused(...told: Parameters<Want['onRefused']>): void {
    super.onRefused(...told);
    assert.equal(this.calls, 1);
    this.#world.onRefused(this, told[0].kind);
  }
}
