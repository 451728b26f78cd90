// A pool whose backends are numbers: slots that do nothing, and wants that remember what they heard.

import { PassiveHealth, type PassiveHealthSettings } from '../../src/health/passive.ts';
import { EndpointHealth, type HealthThresholds } from '../../src/health/state.ts';
import { AdminState } from '../../src/load_balancer/admin_state.ts';
import { Backend, type PoolSettings } from '../../src/load_balancer/backend.ts';
import type { Lease } from '../../src/load_balancer/lease.ts';
import { leastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import { Load } from '../../src/load_balancer/load.ts';
import type { Policy } from '../../src/load_balancer/policy.ts';
import { ClusterPool, type LeaseWant } from '../../src/load_balancer/pool.ts';
import type { Upstream, UpstreamSlot } from '../../src/net/upstream.ts';
import { CircuitBreaker, type CircuitBreakerSettings } from '../../src/resilience/circuit_breaker.ts';
import type { Failure } from '../../src/resilience/failure.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

/** So many slots; a test may take some of them away. */
export class FakeUpstream implements Upstream {
  max: number;
  inUse = 0;
  readonly #listeners = new Set<() => void>();
  constructor(max: number) {
    this.max = max;
  }
  get counts() {
    return { open: this.inUse, inUse: this.inUse };
  }
  get hasCapacity() {
    return this.inUse < this.max;
  }
  take(): UpstreamSlot | null {
    if (!this.hasCapacity) return null;
    this.inUse++;
    return {} as UpstreamSlot;
  }
  release(): void {
    this.inUse--;
  }
  onCapacity(listener: () => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** A connection that was being closed is gone: more capacity without a release. */
  addCapacity(max: number): void {
    this.max = max;
    for (const listener of this.#listeners) listener();
  }
  setLimits(): void {}
  retire(): void {}
  destroy(): void {}
}

export interface ClusterOptions {
  readonly slots?: number;
  readonly queueMax?: number;
  readonly queueTimeoutMs?: number;
  readonly weights?: readonly number[];
  readonly tiers?: readonly number[];
  readonly panicBelow?: number;
  readonly slowStartMs?: number;
  readonly probes?: HealthThresholds;
  readonly circuit?: CircuitBreakerSettings | true;
  readonly passive?: PassiveHealthSettings | true;
  readonly ejectedRatioMax?: number;
  readonly policy?: Policy<Backend>;
}

/** One failure opens it. */
const CIRCUIT: CircuitBreakerSettings = { failureRatio: 0.5, requestsMin: 1, windowMs: 1_000, openMs: 5_000 };
const NO_JITTER = { ...seededRandom(1), unit: () => 0.5 };
const PASSIVE: PassiveHealthSettings = {
  consecutiveFailures: 2,
  failureShare: null,
  ejectMs: 1_000,
  ejectedRatioMax: 0.5,
};

export function fakeBackend(at: number, clock: FakeClock, options: ClusterOptions = {}): Backend {
  const { slots = 1, weights, tiers, probes = null, circuit, passive } = options;
  const slowStart =
    options.slowStartMs === undefined ? null : { windowMs: options.slowStartMs, clock, isAdded: false };
  const health = new EndpointHealth(probes, clock.nowMs(), slowStart);
  const identity = { name: `b${at}`, label: `b${at}`, weight: weights?.[at] ?? 1, tier: tiers?.[at] ?? 0 };
  return new Backend(identity, {
    disagreement: null,
    adminState: new AdminState(),
    load: new Load(),
    upstream: new FakeUpstream(slots),
    health,
    passive:
      passive === undefined ? null : new PassiveHealth(passive === true ? PASSIVE : passive, health, clock),
    circuit:
      circuit === undefined
        ? null
        : new CircuitBreaker(circuit === true ? CIRCUIT : circuit, clock, NO_JITTER, () => {}),
  });
}

export function fakePool(backends: readonly Backend[], clock: FakeClock, options: ClusterOptions = {}) {
  const { slots = 1, queueMax = 2, queueTimeoutMs = 100 } = options;
  const settings: PoolSettings = {
    connectionsMax: slots,
    queueMax,
    queueTimeoutMs,
    idleMs: 1_000,
    requestsMax: null,
    ageMsMax: null,
    connectTimeoutMs: 100,
  };
  const policy = options.policy ?? leastRequestsPolicy(seededRandom(1));
  const pool = new ClusterPool({
    name: 'c',
    settings,
    policy,
    ejectedRatioMax: options.ejectedRatioMax ?? 0.5,
    panicBelow: options.panicBelow ?? null,
    onEligibleCount: () => {},
    onPanic: () => {},
    clock,
    random: seededRandom(2),
  });
  pool.setBackends(backends, null);
  return pool;
}

export function fakeCluster(endpoints: number, options: ClusterOptions = {}) {
  const clock = new FakeClock();
  const backends = Array.from({ length: endpoints }, (_, at) => fakeBackend(at, clock, options));
  return { clock, backends, pool: fakePool(backends, clock, options) };
}

export function upstreamOf(backend: Backend | undefined): FakeUpstream {
  return backend?.upstream as FakeUpstream;
}

/** What a want has heard. */
export class Want implements LeaseWant {
  readonly tried: readonly Backend[];
  lease: Lease | null = null;
  failure: Failure | null = null;
  calls = 0;
  /** As it was told with the lease or the refusal. */
  waitedMs: number | null = null;
  constructor(tried: readonly Backend[] = []) {
    this.tried = tried;
  }
  onLease(lease: Lease, waitedMs: number): void {
    this.calls++;
    this.waitedMs = waitedMs;
    this.lease = lease;
  }
  onRefused(failure: Failure, waitedMs: number): void {
    this.calls++;
    this.waitedMs = waitedMs;
    this.failure = failure;
  }
}

export function ask(pool: ClusterPool, tried: readonly Backend[] = []): Want {
  const want = new Want(tried);
  pool.lease(want);
  return want;
}

export function leased(pool: ClusterPool, tried: readonly Backend[] = []): Lease {
  const { lease, failure } = ask(pool, tried);
  if (lease === null) throw new Error(`no lease: ${failure?.kind ?? 'it waits'}`);
  return lease;
}
