/**
 * Circuit breaker of one endpoint, or of a cluster as a whole.
 *
 *   closed  --(failure ratio over the window, with enough requests)--> open
 *   open    --(wait over, at the next admit)-->   probing
 *   probing --(probe succeeds)--> closed, --(fails)--> open, wait doubled
 *   probing --(no result of the probe for as long as the circuit was open)--> another probe
 *
 * Times are monotonic milliseconds of `Clock.nowMs()`. There are no errors: a refusal is a value, which the caller turns
 * into `circuit_open`. Only a failure opens the circuit, never a success that completes the minimum of requests. No timers.
 * Source: Nygard, "Release It!". One probe at a time, so that a backend that has just recovered does not get all waiting
 * requests at once.
 */
import type { Clock } from './clock.ts';
import type { Failure } from './failure.ts';
import type { Random } from './random.ts';
import { SlidingCount } from './sliding_count.ts';

/** Settings of a circuit breaker. */
export interface CircuitBreakerSettings {
  readonly failureRatio: number; // above 0, to 1
  readonly requestsMin: number; // at least 1
  readonly windowMs: number;
  readonly openMs: number;
}

type CircuitState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly retryAtMs: number; readonly waitMs: number; readonly why: string }
  | { readonly kind: 'probing'; readonly retryAtMs: number; readonly waitMs: number; readonly why: string };
export type Permit = number & { readonly __brand: 'Permit' };
export type Outcome = 'success' | 'failure' | 'abandoned';

/** Called on each change of state. */
type CircuitObserver = (from: CircuitState['kind'], to: CircuitState) => void;

/** The window has this many buckets, so it moves by a tenth of its length. */
const BUCKETS = 10;
/** Doubling stops here, unless the first wait is longer already. */
const OPEN_MS_MAX = 60_000;
/** Jitter, so that circuits that opened together are not probed together. */
const JITTER = 0.1;

export class CircuitBreaker {
  readonly #settings: CircuitBreakerSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onChange: CircuitObserver;
  #mayOpen = (): boolean => true;
  readonly #requests: SlidingCount;
  readonly #failures: SlidingCount;
  #state: CircuitState = { kind: 'closed' };
  #epoch = 0 as Permit; // grows with each change of kind, so that late results are recognised

  constructor(settings: CircuitBreakerSettings, clock: Clock, random: Random, onChange: CircuitObserver) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
    this.#requests = new SlidingCount(settings.windowMs / BUCKETS, BUCKETS);
    this.#failures = new SlidingCount(settings.windowMs / BUCKETS, BUCKETS);
  }

  /** Sets a condition for opening. The circuit of a cluster stays closed while one of its endpoints works. */
  openOnlyIf(mayOpen: () => boolean): void {
    this.#mayOpen = mayOpen;
  }

  get state(): CircuitState {
    return this.#state;
  }

  get isWorthKeeping(): boolean {
    return this.#state.kind !== 'closed';
  }

  /** Whether `admit` would admit a request. Changes nothing. */
  get wouldAdmit(): boolean {
    return this.#state.kind === 'closed' || this.#clock.nowMs() >= this.#state.retryAtMs;
  }

  /** Whether the failure ratio is reached, for any number of requests, or the circuit is not closed. */
  get isFailing(): boolean {
    if (this.#state.kind !== 'closed') return true;
    const nowMs = this.#clock.nowMs();
    const requests = this.#requests.total(nowMs);
    return requests > 0 && this.#failures.total(nowMs) / requests >= this.#settings.failureRatio;
  }

  /** Whether the permit belongs to the probe of the open circuit. */
  isProbe(permit: Permit | null): boolean {
    return this.#state.kind === 'probing' && permit === this.#epoch;
  }

  /** Why the circuit opened; null while it is closed. */
  get why(): string | null {
    return this.#state.kind === 'closed' ? null : this.#state.why;
  }

  /** Milliseconds until another request may be admitted; 0 while the circuit is closed. */
  get retryAfterMs(): number {
    const state = this.#state;
    return state.kind === 'closed' ? 0 : Math.max(0, state.retryAtMs - this.#clock.nowMs());
  }

  /** Asks to send one request. Every permit must be settled once, also when the client leaves. */
  admit(): Permit | 'refused' {
    if (!this.wouldAdmit) return 'refused';
    if (this.#state.kind !== 'closed') this.#probe(this.#state.waitMs, this.#state.why);
    return this.#epoch;
  }

  /** `cause` is what was seen, for the log. */
  settle(permit: Permit, outcome: Outcome, cause: string): void {
    if (permit !== this.#epoch) return; // the result of an earlier state
    if (this.#state.kind === 'probing') this.#afterProbe(this.#state, outcome, cause);
    else if (outcome !== 'abandoned') this.#count(outcome === 'failure', cause);
  }

  /** A probe without a result must not keep the circuit open: after `waitMs` another one may be sent. */
  #probe(waitMs: number, why: string): void {
    const wasProbing = this.#state.kind === 'probing';
    this.#become({ kind: 'probing', retryAtMs: this.#clock.nowMs() + waitMs, waitMs, why });
    if (wasProbing) this.#epoch = (this.#epoch + 1) as Permit; // the previous probe is too late, whatever its result
  }

  #afterProbe({ waitMs, why }: CircuitState & { kind: 'probing' }, outcome: Outcome, cause: string): void {
    const nowMs = this.#clock.nowMs();
    if (outcome === 'success') this.#become({ kind: 'closed' });
    else if (outcome === 'abandoned') {
      this.#become({ kind: 'open', retryAtMs: nowMs, waitMs, why }); // says nothing: the next request may probe
    } else {
      const nextMs = Math.max(waitMs, Math.min(2 * waitMs, OPEN_MS_MAX));
      this.#open(nowMs, nextMs, `the probe request failed: ${cause}`);
    }
  }

  #count(failed: boolean, cause: string): void {
    const nowMs = this.#clock.nowMs();
    this.#requests.add(nowMs);
    if (!failed) return;
    this.#failures.add(nowMs);
    const { openMs, failureRatio, requestsMin, windowMs } = this.#settings;
    const requests = this.#requests.total(nowMs);
    const failures = this.#failures.total(nowMs);
    if (requests < requestsMin || failures / requests < failureRatio || !this.#mayOpen()) return;
    const seconds = windowMs / 1_000;
    this.#open(
      nowMs,
      openMs,
      `${failures} of ${requests} requests failed within ${seconds} s, most recently ${cause}`,
    );
  }

  #open(nowMs: number, waitMs: number, why: string): void {
    const jitter = 1 + JITTER * (2 * this.#random.unit() - 1);
    this.#become({ kind: 'open', retryAtMs: nowMs + waitMs * jitter, waitMs, why });
  }

  #become(next: CircuitState): void {
    const from = this.#state.kind;
    this.#state = next;
    if (next.kind === from) return;
    this.#epoch = (this.#epoch + 1) as Permit;
    if (next.kind === 'closed') {
      this.#requests.clear();
      this.#failures.clear();
    }
    this.#onChange(from, next);
  }

  /** For the registry: there is nothing to release. */
  dispose(): void {}
}

/** The failure of a request that this circuit refuses. */
export function circuitOpen(circuit: CircuitBreaker | null): Failure {
  return { kind: 'circuit_open', retryAfterMs: circuit?.retryAfterMs ?? 0, why: circuit?.why ?? '' };
}
