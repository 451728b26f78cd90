/**
 * What is known of the health of one endpoint. Two sources, kept apart:
 *
 *   probes    unknown ──one success──▶ healthy ◀──healthyAfter── unhealthy
 *                └──unhealthyAfter──▶ unhealthy ◀──unhealthyAfter──┘      so many in a row, so that nothing flaps
 *   traffic   in rotation ◀──▶ ejected    ends with its time, or with a probe that was sent later and succeeded
 *   slow start  one that comes back, or is added to a running cluster, is `warming` for a while before it is healthy:
 *             it serves a part of its usual share that grows (Envoy: linear, from a tenth)
 *
 * Is an endpoint ejected again soon after, then probes do not see what requests see: a success does not end it any
 * more (else it would be in and out for ever), only a recovery that probes have seen from its beginning.
 *
 * Health can only take an endpoint out of rotation. `unknown` serves until the first verdict: right after a start
 * nobody has been asked yet, and refusing everything until the probes are back would make each restart an outage.
 *
 * Times: monotonic milliseconds of `Clock.nowMs()`, handed in. The transitions are pure functions; the class only
 * keeps the state and tells of changes.
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
  /** Probes in a row that contradict the verdict. */
  readonly against: number;
  /** Since when traffic has it out of rotation; infinity: and a single probe does not end that; null: it has not. */
  readonly ejectedAtMs: number | null;
  /** Since when it warms up; null: it does not. */
  readonly warmingAtMs: number | null;
}

interface SlowStart {
  readonly windowMs: number;
  readonly clock: Clock;
  /** It has just been added to a cluster that others serve already. */
  readonly isAdded: boolean;
}

/** `from` and `to` differ. */
type HealthObserver = (from: HealthState, to: HealthState, cause: string) => void;

function stateOf({ verdict, ejectedAtMs, warmingAtMs }: HealthFacts): HealthState {
  if (ejectedAtMs !== null) return 'ejected';
  return verdict === 'healthy' && warmingAtMs !== null ? 'warming' : verdict;
}

export function allowsTraffic(state: HealthState): boolean {
  return state === 'healthy' || state === 'warming' || state === 'unknown';
}

/**
 * A probe that was sent before the ejection says nothing about what traffic has seen since. From unhealthy to healthy in
 * the meantime is a recovery, whatever traffic has seen before it.
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
  // Where nothing is known the first success is enough: it serves already.
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

/** Envoy: `min_weight_percent` 10. */
const SHARE_MIN = 0.1;
/** Without active checks an endpoint counts as healthy: traffic alone judges it. */
const WITHOUT_PROBES: HealthThresholds = { healthyAfter: 1, unhealthyAfter: 1 };

export class EndpointHealth {
  readonly #thresholds: HealthThresholds;
  readonly #slowStart: SlowStart | null;
  readonly #observers = new Set<HealthObserver>();
  /** The next time that it serves it begins slowly. */
  #startsSlowly: boolean;
  #timer: Timer | null = null;
  #facts: HealthFacts;
  #lastError: string | null = null;
  #lastErrorAtMs: number | null = null;
  /** Without active checks `healthy` means that nothing speaks against it. */
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
  /** What probes say, also while ejected. */
  get verdict(): Verdict {
    return this.#facts.verdict;
  }
  get isEligible(): boolean {
    return allowsTraffic(this.state);
  }
  get isEjected(): boolean {
    return this.#facts.ejectedAtMs !== null;
  }
  /** The next probe may change the verdict: look again sooner. */
  get isChanging(): boolean {
    return this.#facts.verdict === 'unknown' || this.#facts.against > 0;
  }
  /** What a probe or a request has found wrong last; it says nothing about now. */
  get lastError(): string | null {
    return this.#lastError;
  }
  get lastErrorAtMs(): number | null {
    return this.#lastErrorAtMs;
  }
  /** When `state` became what it is. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** The part of its usual share that it may have, 0.1 to 1. */
  slowStartShare(nowMs: number): number {
    const { warmingAtMs } = this.#facts;
    if (this.#slowStart === null || warmingAtMs === null) return 1;
    return Math.min(1, Math.max(SHARE_MIN, (nowMs - warmingAtMs) / this.#slowStart.windowMs));
  }

  subscribe(observer: HealthObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** What one probe has found; `sentMs` is when it was sent. */
  onProbe(ok: boolean, cause: string, nowMs: number, sentAtMs = nowMs): void {
    if (!ok) this.noteError(cause, nowMs);
    this.#become(afterProbe(this.#facts, ok, sentAtMs, this.#thresholds), cause, nowMs);
  }

  /** A request has failed there: for a person; it changes nothing. */
  noteError(cause: string, nowMs: number): void {
    this.#lastError = cause;
    this.#lastErrorAtMs = nowMs;
  }

  /** `endsByProbe`: a probe that is sent later and succeeds ends it. */
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

  /** Whoever did not serve begins slowly when it serves again, and stops doing so when it is out. */
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
