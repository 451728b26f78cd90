/**
 * The backends of one cluster and the queue in front of them.
 *
 *   lease ──> policy picks one that is ready: in service, a free connection, the circuit admits ──> Lease
 *               └─ none ──> all out ──> no_healthy_backend, circuit_open, dns_failed
 *                           └─ else wait (bounded in number and time) ──> Lease, queue_timeout; queue_full
 *
 * Who is in service is decided in `in_service.ts`. One that warms up is passed over as often as it is cold, unless
 * there is nobody else.
 *
 * Which backend may a repeated attempt have? One that it has not tried, as long as there is one that health and
 * circuit allow, even if it has to wait for it. When there is none left, one of a higher tier (a backup); then also one
 * that it has tried: with a single endpoint there is no other.
 *
 * What holds between two calls: no first attempt waits while a backend is ready. Whoever waits is woken by a free
 * connection, a change of health, an answer that closes a circuit, or the time at which one may be probed.
 *
 * Retired by `dispose` (a newer plan has another pool), it serves those that wait and those that repeat an attempt
 * on the older plan, and is held by them alone. Connections, health and circuits are not its own.
 */
import assert from 'node:assert/strict';
import { ejectedMax } from '../health/passive.ts';
import { type CircuitBreaker, circuitOpen } from '../resilience/circuit_breaker.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import type { Backend, PoolSettings } from './backend.ts';
import { eligibleEndpoints } from './eligible_endpoints.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import type { Policy } from './policy.ts';
import { WaitQueue } from './wait_queue.ts';

/** A request that wants a backend. The owner keeps the object; exactly one of the two is called, perhaps at once. */
export interface LeaseWant {
  /** Does not change while the want waits. */
  readonly tried: readonly Backend[];
  /** `waitedMs` is the time spent in the queue; 0 if there was no wait. */
  onLease(lease: Lease, waitedMs: number): void;
  onRefused(failure: Failure, waitedMs: number): void;
}

/** What a pool needs to know beside its backends. */
interface PoolOptions {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly policy: Policy<Backend>;
  /** Share of the backends that passive health may take out at once. */
  readonly ejectedRatioMax: number;
  readonly panicBelow: number | null;
  /** How many serve, each time that it may have changed. */
  readonly onServing: (count: number) => void;
  /** Most of the cluster is down and everyone serves; or no longer. */
  readonly onPanic: (panic: boolean, serving: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const NONE: readonly Backend[] = [];

export class ClusterPool implements LeaseOwner {
  readonly name: string;
  readonly #options: PoolOptions;
  readonly #settings: PoolSettings;
  readonly #policy: Policy<Backend>;
  readonly clock: Clock;
  readonly #queue = new WaitQueue<LeaseWant>();
  #backends = NONE;
  /** What is answered while there is no backend at all; null: some are on their way, wait. */
  #whenEmpty: Failure | null = null;
  #timer: Timer | null = null;
  #serving: ReadonlySet<Backend> = new Set();
  /** Of higher tiers, for the time in which none of those that serve may be asked. */
  #standby = NONE;
  #panic = false;
  #warming = false;
  #ejected = 0;
  #whyNobody = '';
  #unsubscribeHealth: (() => void)[] = [];
  #unwatchCapacity: (() => void)[] = [];
  #retired = false;
  /** What the two functions below are asked about. */
  #tried = NONE;
  #offered: Backend | null = null;
  /** Backends that may have become ready, while those that wait are being served. */
  readonly #freed = new Set<Backend>();
  #isWaking = false;

  constructor(options: PoolOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#policy = options.policy;
    this.clock = options.clock;
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
  /** Most connections to each endpoint at once. */
  get connectionsMax(): number {
    return this.#settings.connectionsMax;
  }
  get servingCount(): number {
    return this.#serving.size;
  }
  /** One that serves and whose requests mostly succeed: where there is one, the cluster as a whole is not broken. */
  get hasWorking(): boolean {
    return this.#backends.some(({ isEligible, circuit }) => isEligible && circuit?.isFailing !== true);
  }
  get isPanicking(): boolean {
    return this.#panic;
  }

  /**
   * The backends from now on; requests that are under way on others end there. `whenEmpty` is the answer while there
   * is none (a name that does not resolve); null lets requests wait for the first one.
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

  lease(want: LeaseWant): void {
    if (this.#retired) this.#refresh();
    // Those who wait have found nothing, and would have been told: a newcomer need not look.
    const isFirst = want.tried.length === 0;
    const backend = isFirst && this.#queue.hasFirstAttempts ? null : this.#pick(want.tried);
    if (backend !== null) want.onLease(this.#grant(backend), 0);
    else this.#wait(want);
  }

  /** The want is withdrawn; it hears nothing more. How long it has waited. */
  cancel(want: LeaseWant): number {
    const sinceMs = this.#queue.remove(want);
    this.#onQueueShorter();
    return sinceMs === null ? 0 : this.clock.nowMs() - sinceMs;
  }

  /** Whether one more backend may be taken out by passive health: within the share, and never the last one of all tiers. */
  readonly mayEject = (): boolean => {
    if (this.#retired) this.#refresh();
    const max = ejectedMax(this.#backends.length, this.#options.ejectedRatioMax);
    if (this.#ejected >= max) return false;
    let eligible = 0;
    for (const { isEligible } of this.#backends) if (isEligible) eligible++;
    return eligible > 1;
  };

  /** Retires a pool that no plan uses any more: health changes no longer reach it. */
  dispose(): void {
    this.#retired = true;
    for (const unsubscribe of this.#unsubscribeHealth.splice(0)) unsubscribe();
    this.#onQueueShorter();
  }

  // ---- who serves

  #onHealth(): void {
    this.#refresh();
    if (this.#serving.size === 0) this.#recall();
    this.#reconsider();
  }

  /** An ejection presumes that others carry the load. With nobody left, whoever probes do not call dead serves. */
  #recall(): void {
    for (const { health, passive } of this.#backends)
      if (health.isEjected && health.verdict !== 'unhealthy') passive?.readmit();
  }

  #refresh(): void {
    const { members, standby, panic } = eligibleEndpoints(this.#backends, this.#options.panicBelow);
    this.#standby = standby;
    this.#serving = new Set(members);
    this.#whyNobody = members.length === 0 ? whyNobody(this.#backends) : '';
    this.#warming = members.some(({ health }) => health.state === 'warming');
    this.#ejected = this.#backends.reduce((out, { health }) => out + (health.isEjected ? 1 : 0), 0);
    this.#policy.setMembers(members);
    if (!this.#retired) this.#options.onServing(members.length);
    if (panic === this.#panic) return;
    this.#panic = panic;
    if (!this.#retired) this.#options.onPanic(panic, members.length);
  }

  // ---- picking

  #pick(tried: readonly Backend[]): Backend | null {
    this.#tried = tried;
    const fresh = this.#pickUsable();
    if (fresh !== null || this.#hasUntried(tried)) return fresh;
    const backup = this.#standby.find(this.#isUsable);
    if (backup !== undefined || tried.length === 0) return backup ?? null;
    this.#tried = NONE;
    return this.#pickUsable();
  }

  #pickUsable(): Backend | null {
    const warm = this.#warming ? this.#policy.pick(this.#isWarmEnough) : null;
    return warm ?? this.#policy.pick(this.#isUsable);
  }

  /** Made once: a closure for each pick would be one for each request. */
  readonly #isUsable = (backend: Backend): boolean => backend.isReady && !this.#tried.includes(backend);

  /** One at a fifth of its warmth takes every fifth of the requests that it is chosen for. */
  readonly #isWarmEnough = (backend: Backend): boolean =>
    this.#isUsable(backend) &&
    (backend.health.state !== 'warming' ||
      this.#options.random.unit() < backend.health.warmth(this.clock.nowMs()));

  /** There is one that it could go to, now or when a connection comes free. */
  #hasUntried(tried: readonly Backend[]): boolean {
    for (const backend of this.#serving) if (backend.admits && !tried.includes(backend)) return true;
    return false;
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

  /** Why waiting makes no sense, if it makes none. */
  #refusal(): Failure | null {
    if (this.#backends.length === 0) return this.#whenEmpty;
    if (this.#serving.size === 0)
      return { kind: 'no_healthy_backend', cluster: this.name, why: this.#whyNobody };
    let soonest: CircuitBreaker | null = null;
    for (const { admits } of this.#standby) if (admits) return null;
    for (const { admits, circuit } of this.#serving) {
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

  #onRoom(backend: Backend): void {
    if (this.#queue.size === 0) return;
    if (backend.admits) {
      this.#freed.add(backend);
      this.#serveFreed();
    } else this.#reconsider(); // its circuit has opened: perhaps the last one that somebody waited for
  }

  /** Something else than a free connection has changed: health, a circuit, or time. */
  #reconsider(): void {
    if (this.#queue.size === 0) return;
    for (const backend of this.#serving) this.#freed.add(backend);
    this.#serveFreed();
    const refusal = this.#queue.size === 0 ? null : this.#refusal();
    if (refusal === null) this.#setTimer();
    else this.#refuseBefore(Number.POSITIVE_INFINITY, refusal);
  }

  /** Not nested: a lease that ends at once frees another, and so on through the whole queue. */
  #serveFreed(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    try {
      for (const backend of this.#freed) {
        this.#freed.delete(backend); // whoever is added meanwhile comes later in this loop
        this.#serve(backend);
      }
    } finally {
      this.#isWaking = false;
    }
  }

  #serve(backend: Backend): void {
    while (this.#queue.size > 0 && this.#mayServe(backend) && backend.isReady) {
      this.#offered = backend;
      const want = this.#queue.next(this.#takesOffered);
      if (want === null) return;
      const sinceMs = this.#queue.remove(want) ?? 0;
      this.#onQueueShorter();
      want.onLease(this.#grant(backend), this.clock.nowMs() - sinceMs);
    }
  }

  #mayServe(backend: Backend): boolean {
    return this.#serving.has(backend) || (this.#standby.includes(backend) && !this.#hasUntried(NONE));
  }

  readonly #takesOffered = ({ tried }: LeaseWant): boolean =>
    this.#offered !== null && (!tried.includes(this.#offered) || !this.#hasUntried(tried));

  #onTimer(): void {
    this.#timer = null;
    const { queueMs } = this.#settings;
    // A system timer may ring a fraction of a millisecond early.
    this.#refuseBefore(this.clock.nowMs() - queueMs + 1, { kind: 'queue_timeout', afterMs: queueMs });
    this.#reconsider();
  }

  #refuseBefore(timeMs: number, failure: Failure): void {
    const refused = this.#queue.takeBefore(timeMs);
    this.#onQueueShorter();
    const nowMs = this.clock.nowMs();
    for (const [want, sinceMs] of refused) want.onRefused(failure, nowMs - sinceMs);
  }

  /** One timer for all: all wait equally long, so the oldest is due first; or a circuit may be probed before that. */
  #setTimer(): void {
    this.clock.cancelTimer(this.#timer);
    this.#timer = null;
    if (this.#queue.size === 0) return;
    const nowMs = this.clock.nowMs();
    let delayMs = this.#queue.oldestSinceMs + this.#settings.queueMs - nowMs;
    for (const { circuit } of this.#serving) {
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
      backend.capacity.listen(() => this.#onRoom(backend)),
    );
  }
}

function onTimer(ring: () => void): void {
  ring();
}

/** `2 unhealthy (connect_refused), 1 drained`: how many are in which state, and what was seen last there. */
function whyNobody(backends: readonly Backend[]): string {
  const states = Map.groupBy(backends, backend => {
    if (backend.weight === 0) return 'with weight 0';
    return backend.adminState.isDrained ? 'drained' : backend.health.state;
  });
  const texts = [...states].map(([state, members]) => {
    const isOut = state === 'unhealthy' || state === 'ejected';
    const error = isOut ? members.find(({ health }) => health.lastError !== null)?.health.lastError : null;
    return `${members.length} ${state}${error == null ? '' : ` (${error})`}`;
  });
  return texts.join(', ');
}
