/**
 * The backends of one cluster and the queue in front of them.
 *
 *   lease ──> eligible? ──> policy picks a usable one ──> Lease
 *                │                └─ none has a free connection ──> queue (bounded) ──> Lease, or queue_timeout
 *                └─ none ──> no_healthy_backend / circuit_open
 *
 * Eligible is what health allows; it changes seldom and is kept as a list. Usable is asked for each pick: not
 * tried yet by this request, a free connection, the circuit admits. An untried backend is preferred; when none
 * is left, a request may come back to one that it has tried (with a single endpoint there is no other).
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Backend, PoolSettings } from './backend.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import type { Policy } from './policy.ts';

/** A request that wants a backend. The owner keeps the object; exactly one of the two is called, perhaps at once. */
export interface LeaseWant {
  readonly tried: readonly Backend[];
  onLease(lease: Lease): void;
  onRefused(failure: Failure): void;
}

/** When a connection comes free, so many waiters are offered it before the search ends: the work is bounded. */
const OFFERS_MAX = 8;
const NONE: readonly Backend[] = [];

export class ClusterPool implements LeaseOwner {
  readonly name: string;
  readonly backends: readonly Backend[];
  readonly #settings: PoolSettings;
  readonly #policy: Policy<Backend>;
  readonly #clock: Clock;
  readonly #ejectedMax: number;
  readonly #unsubscribe: readonly (() => void)[];
  /** In the order of arrival, with the time at which waiting began. All wait equally long, so the first is due first. */
  readonly #queue = new Map<LeaseWant, number>();
  #queueTimer: Timer | null = null;
  #eligible: readonly Backend[] = NONE;
  #tried: readonly Backend[] = NONE;

  constructor(
    name: string,
    backends: readonly Backend[],
    settings: PoolSettings,
    policy: Policy<Backend>,
    ejectedMax: number,
    clock: Clock,
  ) {
    this.name = name;
    this.backends = backends;
    this.#settings = settings;
    this.#policy = policy;
    this.#clock = clock;
    this.#ejectedMax = ejectedMax;
    this.#unsubscribe = backends.flatMap(({ health, upstream }) => [
      health.subscribe(() => this.#refresh()),
      upstream.onRoom(() => this.onRelease()),
    ]);
    this.#refresh();
  }

  get queueDepth(): number {
    return this.#queue.size;
  }
  get eligibleCount(): number {
    return this.#eligible.length;
  }

  lease(want: LeaseWant): void {
    const lease = this.#queue.size === 0 ? this.#tryLease(want, 0) : null;
    if (lease !== null) want.onLease(lease);
    else this.#wait(want);
  }

  /** The want is withdrawn; it hears nothing more. */
  cancel(want: LeaseWant): void {
    this.#queue.delete(want);
    if (this.#queue.size === 0) this.#stopQueueTimer();
  }

  /** A connection has come free. */
  onRelease(): void {
    if (this.#queue.size > 0) this.#serveQueue();
  }

  /** Whether one more backend may be taken out by passive health. */
  readonly mayEject = (): boolean =>
    this.backends.reduce((out, { health }) => out + (health.isEjected ? 1 : 0), 0) < this.#ejectedMax;

  dispose(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #refresh(): void {
    this.#eligible = this.backends.filter(({ health, weight }) => health.isEligible && weight > 0);
    this.#policy.setMembers(this.#eligible);
    if (this.#queue.size > 0) this.#serveQueue();
  }

  // ---- picking

  #tryLease(want: LeaseWant, waitedMs: number): Lease | null {
    const backend = this.#pick(want.tried);
    const slot = backend?.upstream.take() ?? null;
    if (backend === null || slot === null) return null;
    const permit = backend.circuit?.admit() ?? null;
    backend.inFlight++;
    return new Lease(this, backend, slot, permit === 'refused' ? null : permit, waitedMs);
  }

  #pick(tried: readonly Backend[]): Backend | null {
    this.#tried = tried;
    const fresh = this.#policy.pick(this.#isUsable);
    if (fresh !== null || tried.length === 0 || this.#eligible.some(backend => !tried.includes(backend)))
      return fresh;
    this.#tried = NONE;
    return this.#policy.pick(this.#isUsable);
  }

  /** Made once: a closure for each pick would be one for each request. */
  readonly #isUsable = (backend: Backend): boolean =>
    backend.upstream.hasRoom &&
    (backend.circuit === null || backend.circuit.wouldAdmit) &&
    !this.#tried.includes(backend);

  // ---- waiting

  #wait(want: LeaseWant): void {
    const refusal = this.#refusal();
    if (refusal !== null) {
      want.onRefused(refusal);
      return;
    }
    this.#queue.set(want, this.#clock.nowMs());
    if (this.#queueTimer === null) this.#setQueueTimer(this.#settings.queueMs);
  }

  /** Why waiting makes no sense, if it makes none. */
  #refusal(): Failure | null {
    if (this.#eligible.length === 0) return { kind: 'no_healthy_backend', cluster: this.name };
    if (this.#eligible.every(({ circuit }) => circuit !== null && !circuit.wouldAdmit)) {
      return {
        kind: 'circuit_open',
        retryAfterMs: Math.min(...this.#eligible.map(({ circuit }) => circuit?.retryAfterMs ?? 0)),
      };
    }
    if (this.#queue.size >= this.#settings.queueMax)
      return { kind: 'queue_full', limit: this.#settings.queueMax };
    return null;
  }

  #serveQueue(): void {
    let offers = 0;
    for (const [want, sinceMs] of this.#queue) {
      const lease = this.#tryLease(want, this.#clock.nowMs() - sinceMs);
      offers++;
      if (lease !== null) {
        this.cancel(want);
        want.onLease(lease); // may lease, settle and cancel in turn: the iteration allows that
      } else if (offers >= OFFERS_MAX || !this.#eligible.some(({ upstream }) => upstream.hasRoom)) return;
    }
  }

  #onQueueTimer(): void {
    this.#queueTimer = null;
    const nowMs = this.#clock.nowMs();
    for (const [want, sinceMs] of this.#queue) {
      const leftMs = sinceMs + this.#settings.queueMs - nowMs;
      if (leftMs >= 1) {
        this.#setQueueTimer(leftMs);
        return;
      }
      this.#queue.delete(want);
      want.onRefused({ kind: 'queue_timeout', afterMs: this.#settings.queueMs });
    }
  }

  #setQueueTimer(delayMs: number): void {
    this.#stopQueueTimer();
    this.#queueTimer = this.#clock.setTimer(() => this.#onQueueTimer(), delayMs, undefined);
  }
  #stopQueueTimer(): void {
    this.#clock.cancelTimer(this.#queueTimer);
    this.#queueTimer = null;
  }
}
