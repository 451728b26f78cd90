// A thousand endpoints over one virtual hour: they break, recover, and answer a probe wrongly now and then.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Prober } from '../../src/health/active.ts';
import { Outage } from '../../src/health/outage.ts';
import { PassiveHealth } from '../../src/health/passive.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import { AdminState } from '../../src/load_balancer/admin_state.ts';
import { Backend } from '../../src/load_balancer/backend.ts';
import { eligibleEndpoints } from '../../src/load_balancer/eligible_endpoints.ts';
import { settleLease } from '../../src/load_balancer/lease.ts';
import { Load } from '../../src/load_balancer/load.ts';
import { ask, FakeUpstream, fakePool } from '../load_balancer/fake_cluster.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20261121);
const ENDPOINTS = 1_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 100;
const REQUESTS_PER_STEP = 20;
/** Few enough that it is reached. */
const EJECTED_RATIO_MAX = 0.003;
const UP_MS_MEAN = 600_000;
const DOWN_MS_MEAN = 60_000;
/** Of the probes of an endpoint that is well. */
const WRONG_ANSWERS = 0.03;
const ACTIVE = {
  probe: { kind: 'tcp' as const },
  intervalMs: 5_000,
  timeoutMs: 1_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
};
const PASSIVE = {
  consecutiveFailures: 5,
  failureShare: null,
  ejectMs: 10_000,
  ejectedRatioMax: EJECTED_RATIO_MAX,
};

/** One endpoint as the world has it. */
class Endpoint {
  isUp = true;
  flips = 0;
  transitions = 0;
  readonly backend: Backend;
  readonly prober: Prober;

  constructor(at: number, clock: FakeClock, random: ReturnType<typeof seededRandom>) {
    const slowStart = { windowMs: 10_000, clock, isAdded: false };
    const health = new EndpointHealth(ACTIVE, clock.nowMs(), slowStart);
    health.subscribe(() => this.transitions++);
    const name = `b${at}`;
    this.backend = new Backend(
      { name, label: name, weight: 1, tier: 0 },
      {
        upstream: new FakeUpstream(1_000),
        health,
        passive: new PassiveHealth(PASSIVE, health, clock),
        circuit: null,
        disagreement: null,
        adminState: new AdminState(),
        load: new Load(),
      },
    );
    const open = (callback: (failure: null, socket: Socket | null) => void) => {
      const isRight = this.isUp && random.unit() >= WRONG_ANSWERS;
      const timer = clock.setTimer(
        () => callback(null, isRight ? ({ destroy() {} } as unknown as Socket) : null),
        20,
        undefined,
      );
      return () => clock.cancelTimer(timer);
    };
    this.prober = new Prober(ACTIVE, { open, authority: 'a' }, health, clock, random, new Outage());
    const flip = (): void => {
      const meanMs = this.isUp ? UP_MS_MEAN : DOWN_MS_MEAN;
      clock.setTimer(
        () => {
          this.isUp = !this.isUp;
          this.flips++;
          flip();
        },
        -Math.log(1 - random.unit()) * meanMs,
        undefined,
      );
    };
    flip();
    this.prober.start();
  }
}

test(`an hour of failures: caps hold, the sick get nothing, nobody flaps (seed ${SEED})`, () => {
  const clock = new FakeClock();
  const random = seededRandom(SEED);
  const endpoints = Array.from({ length: ENDPOINTS }, (_, at) => new Endpoint(at, clock, random));
  const backends = endpoints.map(({ backend }) => backend);
  const pool = fakePool(backends, clock, { ejectedRatioMax: EJECTED_RATIO_MAX, slots: 1_000 });
  const byBackend = new Map(endpoints.map(endpoint => [endpoint.backend, endpoint]));
  let failed = 0;
  let requests = 0;
  let outMax = 0;
  for (let ms = 0; ms < HOUR_MS; ms += STEP_MS) {
    clock.advance(STEP_MS);
    const serving = ms % 10_000 === 0 ? new Set(eligibleEndpoints(backends, null).members) : null;
    for (let count = 0; count < REQUESTS_PER_STEP; count++) {
      const { lease, failure } = ask(pool);
      assert.ok(lease !== null, `${failure?.kind} at ${ms} ms`);
      const { health } = lease.backend;
      assert.ok(health.isEligible, `${lease.backend.name} is ${health.state} and got a request at ${ms} ms`);
      if (count === 0 && serving !== null) assert.ok(serving.has(lease.backend));
      requests++;
      const isUp = byBackend.get(lease.backend)?.isUp === true;
      if (!isUp) failed++;
      settleLease(lease, isUp ? 'success' : 'failure', 'status');
    }
    const out = backends.reduce((sum, { health }) => sum + (health.isEjected ? 1 : 0), 0);
    outMax = Math.max(outMax, out);
    assert.ok(out <= ENDPOINTS * EJECTED_RATIO_MAX, `${out} are ejected at ${ms} ms`);
  }
  assert.equal(outMax, ENDPOINTS * EJECTED_RATIO_MAX, 'the cap was reached');
  // A real change is at most: out by traffic, out by probes, back, warm. What three wrong probes in a row add is rare.
  for (const { backend, transitions, flips } of endpoints)
    assert.ok(
      transitions <= 4 * flips + 12,
      `${backend.name}: ${transitions} transitions for ${flips} changes`,
    );
  assert.ok(
    failed / requests < 0.03,
    `${failed} of ${requests} requests met a sick endpoint, where 9 % are sick`,
  );
  assert.ok(
    endpoints.some(({ flips }) => flips > 5),
    'there was something to notice',
  );
  for (const { prober, backend } of endpoints) {
    prober.dispose();
    backend.health.dispose();
    backend.passive?.dispose();
  }
  assert.equal(clock.pendingTimers, ENDPOINTS, 'only the timers of the simulation itself are left');
});
