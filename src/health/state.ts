/**
 * The health of one endpoint. Probes and requests are separate sources:
 *
 *   probes      unknown ──one success──▶ healthy ◀──healthyAfter── unhealthy
 *                  └──unhealthyAfter──▶ unhealthy ◀──unhealthyAfter──┘     several in a row, so that nothing flaps
 *   requests    in rotation ◀──▶ ejected    ends after its time, or with a later probe that succeeds
 *   slow start  a recovered endpoint, or one that is added to a running cluster, is `warming` before it is healthy: it
 *               gets a growing part of its usual share (Envoy: linear, from a tenth)
 *
 * If an endpoint is ejected again soon after, probes do not see what requests see. Then a successful probe no longer ends
 * the ejection (the endpoint would be in and out for ever); only a recovery that probes have seen from its beginning does.
 *
 * Health only takes endpoints out of rotation. `unknown` is in rotation until the first verdict: right after a start
 * nothing was probed yet, and refusing everything until then would make each restart an outage.
 *
 * Times are monotonic milliseconds of `Clock.nowMs()`. The transitions are pure functions; the class keeps the state and
 * notifies observers.
 */
import type { Clock, Timer } from '../resilience/clock.ts';

type Verdict = 'unknown' | 'healthy' | 'unhealthy';
export const HEALTH_STATES = ['unknown', 'healthy', 'unhealthy', 'ejected', 'warming'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

export interface HealthThresholds {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export interface HealthFacts {
  readonly verdict: Verdict;
  /** Consecutive probes that contradict the verdict. */
  readonly against: number;
  /**
   * When requests took it out of rotation, in monotonic milliseconds; infinity: a single probe does not end it; null:
   * it is not ejected.
   */
  readonly ejectedAtMs: number | null;
  /** When its slow start began; null: it is not in slow start. */
  readonly warmingAtMs: number | null;
}

interface SlowStart {
  readonly windowMs: number;
  readonly clock: Clock;
  /** It has just been added to a cluster with other eligible endpoints. */
  readonly isAdded: boolean;
}

/** Called with two different states. */
type HealthObserver = (from: HealthState, to: HealthState, cause: string) => void;

function stateOf({ verdict, ejectedAtMs, warmingAtMs }: HealthFacts): HealthState {
  if (ejectedAtMs !== null) return 'ejected';
  return verdict === 'healthy' && warmingAtMs !== null ? 'warming' : verdict;
}

export function allowsTraffic(state: HealthState): boolean {
  return state === 'healthy' || state === 'warming' || state === 'unknown';
}

/**
 * A probe that was sent before the ejection says nothing about what requests have seen since. But a change from
 * unhealthy to healthy is a recovery, whatever requests have seen before it.
 */
export function afterProbe(
  facts: HealthFacts,
  ok: boolean,
  sentAtMs: number,
  { healthyAfter, unhealthyAfter }: HealthThresholds,
): HealthFacts {
  const { ejectedAtMs } = facts;
  const verdict = ok ? 'healthy' : 'unhealthy';
  const against = facts.verdict === verdict ? 0 : facts.against + 1;
  // Without a verdict the first success is enough, because the endpoint is in rotation already.
  const needed = !ok ? unhealthyAfter : facts.verdict === 'unknown' ? 1 : healthyAfter;
  const changes = against >= needed;
  const recovers = changes && facts.verdict === 'unhealthy';
  const endsEjection = ok && ejectedAtMs !== null && (recovers || sentAtMs >= ejectedAtMs);
  return {
    ...facts,
    verdict: changes ? verdict : facts.verdict,
    against: changes ? 0 : against,
    ejectedAtMs: endsEjection ? null : ejectedAtMs,
  };
}

/** As Envoy's `min_weight_percent` of 10. */
const SHARE_MIN = 0.1;
/** Without active checks an endpoint counts as healthy, and only requests judge it. */
const WITHOUT_PROBES: HealthThresholds = { healthyAfter: 1, unhealthyAfter: 1 };

export class EndpointHealth {
  readonly #thresholds: HealthThresholds;
  readonly #slowStart: SlowStart | null;
  readonly #observers = new Set<HealthObserver>();
  /** The next time it enters rotation it begins with a slow start. */
  #startsSlowly: boolean;
  #timer: Timer | null = null;
  #facts: HealthFacts;
  #lastError: string | null = null;
  #lastErrorAtMs: number | null = null;
  /** Without active checks `healthy` only means that nothing speaks against it. */
  readonly isProbed: boolean;
  #changedAtMs: number;

  constructor(thresholds: HealthThresholds | null, nowMs: number, slowStart: SlowStart | null = null) {
    this.#thresholds = thresholds ?? WITHOUT_PROBES;
    this.isProbed = thresholds !== null;
    this.#slowStart = slowStart;
    this.#startsSlowly = slowStart?.isAdded === true;
    const verdict = thresholds === null ? 'healthy' : 'unknown';
    this.#facts = this.#withSlowStart({ verdict, against: 0, ejectedAtMs: null, warmingAtMs: null }, nowMs);
    this.#changedAtMs = nowMs;
  }

  get state(): HealthState {
    return stateOf(this.#facts);
  }
  /** The verdict of the probes, also while ejected. */
  get verdict(): Verdict {
    return this.#facts.verdict;
  }
  get isEligible(): boolean {
    return allowsTraffic(this.state);
  }
  get isEjected(): boolean {
    return this.#facts.ejectedAtMs !== null;
  }
  /** The next probe may change the verdict, so it should come sooner. */
  get isChanging(): boolean {
    return this.#facts.verdict === 'unknown' || this.#facts.against > 0;
  }
  /** The last error of a probe or request. It does not describe the present state. */
  get lastError(): string | null {
    return this.#lastError;
  }
  get lastErrorAtMs(): number | null {
    return this.#lastErrorAtMs;
  }
  /** When `state` last changed, in monotonic milliseconds. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** The part of its usual share of the traffic that it gets, 0.1 to 1. */
  slowStartShare(nowMs: number): number {
    const { warmingAtMs } = this.#facts;
    if (this.#slowStart === null || warmingAtMs === null) return 1;
    return Math.min(1, Math.max(SHARE_MIN, (nowMs - warmingAtMs) / this.#slowStart.windowMs));
  }

  subscribe(observer: HealthObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Applies the result of one probe; `sentAtMs` is when it was sent. */
  onProbe(ok: boolean, cause: string, nowMs: number, sentAtMs = nowMs): void {
    if (!ok) this.noteError(cause, nowMs);
    this.#become(afterProbe(this.#facts, ok, sentAtMs, this.#thresholds), cause, nowMs);
  }

  /** Remembers the error of a request, for display only. */
  noteError(cause: string, nowMs: number): void {
    this.#lastError = cause;
    this.#lastErrorAtMs = nowMs;
  }

  /** `endsByProbe`: a probe that is sent later and succeeds ends the ejection. */
  eject(cause: string, nowMs: number, endsByProbe = true): void {
    this.noteError(cause, nowMs);
    const ejectedAtMs = endsByProbe ? nowMs : Number.POSITIVE_INFINITY;
    this.#become({ ...this.#facts, ejectedAtMs }, cause, nowMs);
  }

  readmit(nowMs: number): void {
    this.#become({ ...this.#facts, ejectedAtMs: null }, 'the ejection ended', nowMs);
  }

  dispose(): void {
    this.#slowStart?.clock.cancelTimer(this.#timer);
    this.#observers.clear();
  }

  #become(reached: HealthFacts, cause: string, nowMs: number): void {
    const from = stateOf(this.#facts);
    const next = this.#withSlowStart(reached, nowMs);
    const to = stateOf(next);
    this.#facts = next;
    if (from === to) return;
    this.#changedAtMs = nowMs;
    for (const observer of this.#observers) observer(from, to, cause);
  }

  /** An endpoint that was out of rotation begins with a slow start when it is back, and leaves it when it is out again. */
  #withSlowStart(facts: HealthFacts, nowMs: number): HealthFacts {
    if (this.#slowStart === null) return facts;
    const { clock, windowMs } = this.#slowStart;
    const state = stateOf(facts);
    if (state === 'ejected' || state === 'unhealthy') {
      this.#startsSlowly = true;
      clock.cancelTimer(this.#timer);
      return { ...facts, warmingAtMs: null };
    }
    if (state !== 'healthy' || !this.#startsSlowly) return facts;
    this.#startsSlowly = false;
    this.#timer = clock.setTimer(endWarming, windowMs, this as EndpointHealth);
    return { ...facts, warmingAtMs: nowMs };
  }

  /** Ends the slow start; called by the timer. */
  endWarming(): void {
    const nowMs = this.#slowStart?.clock.nowMs() ?? 0;
    this.#become({ ...this.#facts, warmingAtMs: null }, 'the slow start ended', nowMs);
  }
}

function endWarming(health: EndpointHealth): void {
  health.endWarming();
}
