/**
 * Circuit breaker of one endpoint, or of a cluster as a whole.
 *
 *   closed  --(failure ratio over the window, with enough requests)--> open
 *   open    --(wait over, at the next admit)-->   probing
 *   probing --(probe succeeds)--> closed, --(fails)--> open, wait doubled
 *   probing --(no word from the probe for as long as the circuit was open)--> another probe
 *
 * Times: monotonic milliseconds of `Clock.nowMs()`. Errors: none; a refusal is a value, the caller makes it
 * `circuit_open`. Only a failure opens: a success that makes the number of requests full does not. No timers.
 * Source: Nygard, "Release It!"; one probe at a time, so that a backend that has just recovered does not meet the
 * whole waiting crowd.
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

/** Hears of each change of state. */
type CircuitObserver = (from: CircuitState['kind'], to: CircuitState) => void;

/** The window moves on by a tenth of itself. */
const BUCKETS = 10;
/** Doubling ends here, unless the first pause is longer already. */
const OPEN_MS_MAX = 60_000;
/** So that circuits that opened together are not probed together. */
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
  #epoch = 0 as Permit; // grows with each change of kind: late answers are recognised

  constructor(settings: CircuitBreakerSettings, clock: Clock, random: Random, onChange: CircuitObserver) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
    this.#requests = new SlidingCount(settings.windowMs / BUCKETS, BUCKETS);
    this.#failures = new SlidingCount(settings.windowMs / BUCKETS, BUCKETS);
  }

  /** Asked when the numbers say that it should open: that of a cluster stays closed while one of its endpoints works. */
  openOnlyIf(mayOpen: () => boolean): void {
    this.#mayOpen = mayOpen;
  }

  get state(): CircuitState {
    return this.#state;
  }

  get isWorthKeeping(): boolean {
    return this.#state.kind !== 'closed';
  }

  /** `admit` would say yes; changes nothing. */
  get wouldAdmit(): boolean {
    return this.#state.kind === 'closed' || this.#clock.nowMs() >= this.#state.retryAtMs;
  }

  /** Of what it has counted, so large a share has failed, be it much or little; or it is not closed. */
  get isFailing(): boolean {
    if (this.#state.kind !== 'closed') return true;
    const nowMs = this.#clock.nowMs();
    const requests = this.#requests.total(nowMs);
    return requests > 0 && this.#failures.total(nowMs) / requests >= this.#settings.failureRatio;
  }

  /** The permit is that of the one request that an open circuit has let through. */
  isProbe(permit: Permit | null): boolean {
    return this.#state.kind === 'probing' && permit === this.#epoch;
  }

  /** What has opened it, for a person; null while it is closed. */
  get why(): string | null {
    return this.#state.kind === 'closed' ? null : this.#state.why;
  }

  /** Milliseconds until it is worth asking again; while a probe is out, until another one may be sent. */
  get retryAfterMs(): number {
    const state = this.#state;
    return state.kind === 'closed' ? 0 : Math.max(0, state.retryAtMs - this.#clock.nowMs());
  }

  /** Asks to send one request. Settle every permit once, also when the client leaves. */
  admit(): Permit | 'refused' {
    if (!this.wouldAdmit) return 'refused';
    if (this.#state.kind !== 'closed') this.#probe(this.#state.waitMs, this.#state.why);
    return this.#epoch;
  }

  /** `cause` is what was seen, for a person. */
  settle(permit: Permit, outcome: Outcome, cause: string): void {
    if (permit !== this.#epoch) return; // the answer to a question of an earlier state
    if (this.#state.kind === 'probing') this.#afterProbe(this.#state, outcome, cause);
    else if (outcome !== 'abandoned') this.#count(outcome === 'failure', cause);
  }

  /** A probe whose answer never begins must not keep everybody out: after `waitMs` another one may be sent. */
  #probe(waitMs: number, why: string): void {
    const wasProbing = this.#state.kind === 'probing';
    this.#become({ kind: 'probing', retryAtMs: this.#clock.nowMs() + waitMs, waitMs, why });
    if (wasProbing) this.#epoch = (this.#epoch + 1) as Permit; // the one before is late whatever it says
  }

  #afterProbe({ waitMs, why }: CircuitState & { kind: 'probing' }, outcome: Outcome, cause: string): void {
    const nowMs = this.#clock.nowMs();
    if (outcome === 'success') this.#become({ kind: 'closed' });
    else if (outcome === 'abandoned') {
      this.#become({ kind: 'open', retryAtMs: nowMs, waitMs, why }); // says nothing: the next one may probe
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

  /** For the registry: nothing is held. */
  dispose(): void {}
}

/** The refusal of this circuit. */
export function circuitOpen(circuit: CircuitBreaker | null): Failure {
  return { kind: 'circuit_open', retryAfterMs: circuit?.retryAfterMs ?? 0, why: circuit?.why ?? '' };
}
