/**
 * The backends of one cluster and the queue in front of them.
 *
 *   lease ──> the picker finds one that is ready (in rotation, a free connection, the circuit admits) ──> Lease
 *               └─ none ──> none can become ready ──> no_healthy_backend, circuit_open, dns_failed
 *                           └─ else wait (bounded in number and time) ──> Lease, queue_timeout; queue_full
 *
 * `rotation.ts` says which backends are in rotation, `backend_picker.ts` which of them an attempt gets.
 *
 * Invariant between two calls: no first attempt waits while a backend is ready. Waiting requests are woken by a free
 * connection, a change of health, a response that closes a circuit, or the time at which a circuit may be probed.
 *
 * After `dispose` (a newer plan has another pool) the pool serves only the requests that already wait and those that
 * repeat an attempt on the older plan. Connections, health and circuits do not belong to the pool.
 */
import assert from 'node:assert/strict';
import { ejectedMax } from '../health/passive.ts';
import { type CircuitBreaker, circuitOpen } from '../resilience/circuit_breaker.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import type { Backend, PoolSettings } from './backend.ts';
import { BackendPicker } from './backend_picker.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import type { Policy } from './policy.ts';
import { computeRotation, type Rotation } from './rotation.ts';
import { WaitQueue } from './wait_queue.ts';

/** A request that wants a backend. Exactly one of the two callbacks is called, possibly before `lease` returns. */
export interface LeaseWant {
  /** Backends of earlier attempts. Must not change while the request waits. */
  readonly tried: readonly Backend[];
  /** `waitedMs` is the time spent in the queue; 0 without a wait. */
  onLease(lease: Lease, waitedMs: number): void;
  onRefused(failure: Failure, waitedMs: number): void;
}

/** Settings and collaborators of a pool. */
interface PoolOptions {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly policy: Policy<Backend>;
  /** Share of the backends that passive health may take out at the same time, 0 to 1. */
  readonly ejectedRatioMax: number;
  /** Panic threshold: with a smaller share of healthy backends than this, all are eligible; null: off. */
  readonly panicBelow: number | null;
  /** Called with the number of eligible backends whenever it may have changed. */
  readonly onEligibleCount: (count: number) => void;
  /** Called when the cluster falls below its panic threshold, and when it is above it again. */
  readonly onPanic: (panic: boolean, eligibleCount: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const NONE: readonly Backend[] = [];

export class ClusterPool implements LeaseOwner {
  readonly name: string;
  readonly #options: PoolOptions;
  readonly #settings: PoolSettings;
  readonly #picker: BackendPicker;
  readonly clock: Clock;
  readonly #queue = new WaitQueue<LeaseWant>();
  #backends = NONE;
  /** The failure while there is no backend at all; null: requests wait for the first backend. */
  #whenEmpty: Failure | null = null;
  #timer: Timer | null = null;
  #rotation: Rotation = computeRotation(NONE, null);
  #unsubscribeHealth: (() => void)[] = [];
  #unwatchCapacity: (() => void)[] = [];
  #retired = false;
  /** The backend that `#takesOffered` is asked about. */
  #offered: Backend | null = null;
  /** Backends that may have become ready. `isRunning` while `#serveFreed` goes through them. */
  readonly #freed = { backends: new Set<Backend>(), isRunning: false };

  constructor(options: PoolOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.clock = options.clock;
    this.#picker = new BackendPicker(options.policy, this.#rotation, options.clock, options.random);
  }

  get backends(): readonly Backend[] {
    return this.#backends;
  }
  get queueDepth(): number {
    return this.#queue.size;
  }
  get queueMax(): number {
    return this.#settings.queueMax;
  }
  /** Maximum of connections to each endpoint. */
  get connectionsMax(): number {
    return this.#settings.connectionsMax;
  }
  get eligibleCount(): number {
    return this.#rotation.eligible.size;
  }
  /** At least one eligible backend answers most of its requests well: the cluster as a whole is not broken. */
  get hasWorking(): boolean {
    return this.#backends.some(({ isEligible, circuit }) => isEligible && circuit?.isFailing !== true);
  }
  get isPanicking(): boolean {
    return this.#rotation.panic;
  }

  /**
   * Replaces the backends; requests in flight on the old ones finish there. `whenEmpty` is the failure while the list is
   * empty (a name that does not resolve); null lets requests wait for the first backend.
   */
  setBackends(backends: readonly Backend[], whenEmpty: Failure | null): void {
    for (const stop of [...this.#unsubscribeHealth, ...this.#unwatchCapacity.splice(0)]) stop();
    this.#backends = backends;
    this.#whenEmpty = whenEmpty;
    this.#unsubscribeHealth = backends.flatMap(({ health, adminState }) => [
      health.subscribe(() => this.#onHealth()),
      adminState.subscribe(() => this.#onHealth()),
    ]);
    this.#watchCapacity();
    this.#onHealth();
  }

  /** Leases a backend at once, queues the request, or refuses it with a failure. */
  lease(want: LeaseWant): void {
    if (this.#retired) this.#refresh();
    // While first attempts wait no backend is ready, so a new one need not look.
    const isFirst = want.tried.length === 0;
    const backend = isFirst && this.#queue.hasFirstAttempts ? null : this.#picker.pick(want.tried);
    if (backend !== null) want.onLease(this.#grant(backend), 0);
    else this.#wait(want);
  }

  /** Takes a request out of the queue and returns how long it has waited, in milliseconds. Its callbacks are not called. */
  cancel(want: LeaseWant): number {
    const queuedAtMs = this.#queue.remove(want);
    this.#onQueueShorter();
    return queuedAtMs === null ? 0 : this.clock.nowMs() - queuedAtMs;
  }

  /** Whether passive health may take out one more backend: within its share, and never the last one of all tiers. */
  readonly mayEject = (): boolean => {
    if (this.#retired) this.#refresh();
    const max = ejectedMax(this.#backends.length, this.#options.ejectedRatioMax);
    if (this.#rotation.ejectedCount >= max) return false;
    let eligible = 0;
    for (const { isEligible } of this.#backends) if (isEligible) eligible++;
    return eligible > 1;
  };

  /** Retires the pool when no plan uses it any more: it no longer observes health. */
  dispose(): void {
    this.#retired = true;
    for (const unsubscribe of this.#unsubscribeHealth.splice(0)) unsubscribe();
    this.#onQueueShorter();
  }

  // ---- rotation

  #onHealth(): void {
    this.#refresh();
    if (this.#rotation.eligible.size === 0) this.#recall();
    this.#reconsider();
  }

  /**
   * An ejection assumes that other backends carry the load. When none is left, every ejected backend comes back, unless
   * probes report it as unhealthy.
   */
  #recall(): void {
    for (const { health, passive } of this.#backends)
      if (health.isEjected && health.verdict !== 'unhealthy') passive?.readmit();
  }

  #refresh(): void {
    const { panic: wasPanicking } = this.#rotation;
    this.#rotation = computeRotation(this.#backends, this.#options.panicBelow);
    this.#picker.setRotation(this.#rotation);
    if (this.#retired) return;
    const { eligible, panic } = this.#rotation;
    this.#options.onEligibleCount(eligible.size);
    if (panic !== wasPanicking) this.#options.onPanic(panic, eligible.size);
  }

  #grant(backend: Backend): Lease {
    const slot = backend.upstream.take();
    const permit = backend.circuit === null ? null : backend.circuit.admit();
    assert(slot !== null && permit !== 'refused', 'a backend that is ready has a connection and admits');
    backend.load.inFlight++;
    return new Lease(this, backend, slot, permit);
  }

  // ---- waiting

  #wait(want: LeaseWant): void {
    const refusal = this.#refusal() ?? this.#queueFull();
    if (refusal !== null) {
      want.onRefused(refusal, 0);
      return;
    }
    this.#watchCapacity();
    this.#queue.add(want, this.clock.nowMs());
    if (this.#timer === null) this.#setTimer();
  }

  /** The failure if no backend can become ready; null if waiting makes sense. */
  #refusal(): Failure | null {
    if (this.#backends.length === 0) return this.#whenEmpty;
    const { eligible, standby, whyNobody } = this.#rotation;
    if (eligible.size === 0) return { kind: 'no_healthy_backend', cluster: this.name, why: whyNobody };
    let soonest: CircuitBreaker | null = null;
    for (const { admits } of standby) if (admits) return null;
    for (const { admits, circuit } of eligible) {
      if (admits) return null;
      if (circuit !== null && (soonest === null || circuit.retryAfterMs < soonest.retryAfterMs))
        soonest = circuit;
    }
    return circuitOpen(soonest);
  }

  #queueFull(): Failure | null {
    const { queueMax } = this.#settings;
    return this.#queue.size < queueMax ? null : { kind: 'queue_full', limit: queueMax };
  }

  // ---- waking

  #onCapacity(backend: Backend): void {
    if (this.#queue.size === 0) return;
    if (backend.admits) {
      this.#freed.backends.add(backend);
      this.#serveFreed();
    } else this.#reconsider(); // its circuit has opened, and it may have been the last one worth waiting for
  }

  /** Health, a circuit or the time has changed: any backend may have become ready, or none can be waited for. */
  #reconsider(): void {
    if (this.#queue.size === 0) return;
    for (const backend of this.#rotation.eligible) this.#freed.backends.add(backend);
    this.#serveFreed();
    const refusal = this.#queue.size === 0 ? null : this.#refusal();
    if (refusal === null) this.#setTimer();
    else this.#refuseBefore(Number.POSITIVE_INFINITY, refusal);
  }

  /** Never nested: a lease that ends at once frees another one, and so on through the whole queue. */
  #serveFreed(): void {
    if (this.#freed.isRunning) return;
    this.#freed.isRunning = true;
    try {
      for (const backend of this.#freed.backends) {
        this.#freed.backends.delete(backend); // a backend that is added meanwhile comes later in this loop
        this.#serve(backend);
      }
    } finally {
      this.#freed.isRunning = false;
    }
  }

  #serve(backend: Backend): void {
    while (this.#queue.size > 0 && this.#mayServe(backend) && backend.isReady) {
      this.#offered = backend;
      const want = this.#queue.next(this.#takesOffered);
      if (want === null) return;
      const queuedAtMs = this.#queue.remove(want) ?? 0;
      this.#onQueueShorter();
      want.onLease(this.#grant(backend), this.clock.nowMs() - queuedAtMs);
    }
  }

  #mayServe(backend: Backend): boolean {
    const { eligible, standby } = this.#rotation;
    return eligible.has(backend) || (standby.includes(backend) && !this.#picker.hasUntried(NONE));
  }

  readonly #takesOffered = ({ tried }: LeaseWant): boolean =>
    this.#offered !== null && (!tried.includes(this.#offered) || !this.#picker.hasUntried(tried));

  #onTimer(): void {
    this.#timer = null;
    const { queueTimeoutMs } = this.#settings;
    // A system timer may fire a fraction of a millisecond early.
    this.#refuseBefore(this.clock.nowMs() - queueTimeoutMs + 1, {
      kind: 'queue_timeout',
      afterMs: queueTimeoutMs,
    });
    this.#reconsider();
  }

  #refuseBefore(beforeAtMs: number, failure: Failure): void {
    const refused = this.#queue.takeBefore(beforeAtMs);
    this.#onQueueShorter();
    const nowMs = this.clock.nowMs();
    for (const [want, queuedAtMs] of refused) want.onRefused(failure, nowMs - queuedAtMs);
  }

  /**
   * One timer for the whole queue: every request waits equally long, so the oldest is due first. A circuit may be probed
   * before that.
   */
  #setTimer(): void {
    this.clock.cancelTimer(this.#timer);
    this.#timer = null;
    if (this.#queue.size === 0) return;
    const nowMs = this.clock.nowMs();
    let delayMs = this.#queue.oldestQueuedAtMs + this.#settings.queueTimeoutMs - nowMs;
    for (const { circuit } of this.#rotation.eligible) {
      if (circuit?.state.kind === 'open' && !circuit.wouldAdmit)
        delayMs = Math.min(delayMs, circuit.retryAfterMs);
    }
    this.#timer = this.clock.setTimer(onTimer, delayMs, () => this.#onTimer());
  }

  #onQueueShorter(): void {
    if (this.#queue.size > 0) return;
    this.clock.cancelTimer(this.#timer);
    this.#timer = null;
    if (this.#retired) for (const leave of this.#unwatchCapacity.splice(0)) leave();
  }

  #watchCapacity(): void {
    if (this.#unwatchCapacity.length > 0) return;
    this.#unwatchCapacity = this.#backends.map(backend =>
      backend.capacity.observe(() => this.#onCapacity(backend)),
    );
  }
}

function onTimer(ring: () => void): void {
  ring();
}
