/**
 * Circuit breaker of one endpoint.
 *
 *   closed  --(failure ratio over the window, with enough requests)--> open
 *   open    --(wait over, at the next admit)-->   probing
 *   probing --(probe succeeds)--> closed, --(fails)--> open, wait doubled
 *
 * Times: monotonic milliseconds of `Clock.nowMs()`. Errors: none; a refusal is a value, the caller makes it
 * `circuit_open`. The window is ten buckets, moved on when somebody looks: no timer. Source: Nygard, "Release
 * It!"; one probe at a time, so that a backend that has just recovered does not meet the whole waiting crowd.
 */
import type { Clock } from './clock.ts';

/** Settings of the circuit breaker of one endpoint. */
export interface CircuitBreakerSettings {
  readonly failureRatio: number; // above 0, to 1
  readonly requestsMin: number; // at least 1
  readonly windowMs: number;
  readonly openMs: number;
}

export type CircuitState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly waitMs: number }
  | { readonly kind: 'probing'; readonly waitMs: number };
export type Permit = number & { readonly __brand: 'Permit' };
export type Outcome = 'success' | 'failure' | 'abandoned';

const BUCKETS = 10;
const OPEN_MS_MAX = 60_000;

export class CircuitBreaker {
  readonly #settings: CircuitBreakerSettings;
  readonly #clock: Clock;
  readonly #onChange: (from: CircuitState['kind'], to: CircuitState['kind']) => void;
  readonly #requests = new Uint32Array(BUCKETS);
  readonly #failures = new Uint32Array(BUCKETS);
  #bucket = 0;
  #bucketEndMs: number;
  #state: CircuitState = { kind: 'closed' };
  #epoch = 0 as Permit; // grows with each change of kind: late answers are recognised

  constructor(
    settings: CircuitBreakerSettings,
    clock: Clock,
    onChange: (from: CircuitState['kind'], to: CircuitState['kind']) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#bucketEndMs = clock.nowMs() + settings.windowMs / BUCKETS;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** `admit` would say yes; changes nothing. */
  get wouldAdmit(): boolean {
    return (
      this.#state.kind === 'closed' ||
      (this.#state.kind === 'open' && this.#clock.nowMs() >= this.#state.untilMs)
    );
  }

  /** Milliseconds until a probe may be sent. */
  get retryAfterMs(): number {
    return this.#state.kind === 'open'
      ? Math.max(0, this.#state.untilMs - this.#clock.nowMs())
      : this.#state.kind === 'probing'
        ? this.#state.waitMs
        : 0;
  }

  /** Asks to send one request. Settle every permit once, also when the client leaves. */
  admit(): Permit | 'refused' {
    if (!this.wouldAdmit) return 'refused';
    if (this.#state.kind === 'open') this.#become({ kind: 'probing', waitMs: this.#state.waitMs });
    return this.#epoch;
  }

  settle(permit: Permit, outcome: Outcome): void {
    if (permit !== this.#epoch) return; // the answer to a question of an earlier state
    if (this.#state.kind === 'probing') this.#afterProbe(this.#state.waitMs, outcome);
    else if (outcome !== 'abandoned') this.#count(outcome === 'failure');
  }

  #afterProbe(waitMs: number, outcome: Outcome): void {
    const nowMs = this.#clock.nowMs();
    if (outcome === 'success') this.#become({ kind: 'closed' });
    else if (outcome === 'abandoned')
      this.#become({ kind: 'open', untilMs: nowMs, waitMs }); // says nothing: the next one may probe
    else {
      const nextMs = Math.min(2 * waitMs, OPEN_MS_MAX);
      this.#become({ kind: 'open', untilMs: nowMs + nextMs, waitMs: nextMs });
    }
  }

  #count(failed: boolean): void {
    const nowMs = this.#clock.nowMs();
    this.#moveOn(nowMs);
    this.#requests[this.#bucket] = (this.#requests[this.#bucket] ?? 0) + 1;
    if (!failed) return;
    this.#failures[this.#bucket] = (this.#failures[this.#bucket] ?? 0) + 1;
    const requests = sum(this.#requests);
    const { openMs, failureRatio, requestsMin } = this.#settings;
    if (requests < requestsMin || sum(this.#failures) / requests < failureRatio) return;
    this.#become({ kind: 'open', untilMs: nowMs + openMs, waitMs: openMs });
  }

  #moveOn(nowMs: number): void {
    const widthMs = this.#settings.windowMs / BUCKETS;
    for (let step = 0; nowMs >= this.#bucketEndMs && step < BUCKETS; step++) {
      this.#bucket = (this.#bucket + 1) % BUCKETS;
      this.#requests[this.#bucket] = 0;
      this.#failures[this.#bucket] = 0;
      this.#bucketEndMs += widthMs;
    }
    if (nowMs >= this.#bucketEndMs) this.#bucketEndMs = nowMs + widthMs;
  }

  #become(next: CircuitState): void {
    const from = this.#state.kind;
    this.#state = next;
    if (next.kind === from) return;
    this.#epoch = (this.#epoch + 1) as Permit;
    if (next.kind === 'closed') {
      this.#requests.fill(0);
      this.#failures.fill(0);
    }
    this.#onChange(from, next.kind);
  }

  dispose(): void {}
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
