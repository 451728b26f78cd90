/**
 * What is known of the health of one endpoint. Two sources, kept apart:
 *
 *   probes    unknown ──one success──▶ healthy ◀──healthyAfter── unhealthy
 *                └──unhealthyAfter──▶ unhealthy ◀──unhealthyAfter──┘      so many in a row, so that nothing flaps
 *   traffic   in rotation ◀──▶ ejected    ends with its time, or with a probe that was sent later and succeeded
 *
 * Health can only take an endpoint out of rotation. `unknown` serves until the first verdict: right after a start
 * nobody has been asked yet, and refusing everything until the probes are back would make each restart an outage.
 *
 * Times: monotonic milliseconds of `Clock.nowMs()`, handed in. The transitions are pure functions; the class only
 * keeps the state and tells of changes.
 */

export type Verdict = 'unknown' | 'healthy' | 'unhealthy';
export type HealthState = Verdict | 'ejected';

export interface HealthThresholds {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export interface HealthFacts {
  readonly verdict: Verdict;
  /** Probes in a row that contradict the verdict. */
  readonly against: number;
  /** Since when traffic has it out of rotation; null: it has not. */
  readonly ejectedMs: number | null;
}

/** `from` and `to` differ. */
export type HealthListener = (from: HealthState, to: HealthState, cause: string) => void;

export function stateOf({ verdict, ejectedMs }: HealthFacts): HealthState {
  return ejectedMs === null ? verdict : 'ejected';
}

export function isServing(state: HealthState): boolean {
  return state === 'healthy' || state === 'unknown';
}

/** A probe that was sent before the ejection says nothing about what traffic has seen since. */
export function afterProbe(
  facts: HealthFacts,
  ok: boolean,
  sentMs: number,
  { healthyAfter, unhealthyAfter }: HealthThresholds,
): HealthFacts {
  const { ejectedMs } = facts;
  const ejected = ok && ejectedMs !== null && sentMs >= ejectedMs ? null : ejectedMs;
  const verdict = ok ? 'healthy' : 'unhealthy';
  const against = facts.verdict === verdict ? 0 : facts.against + 1;
  // Where nothing is known the first success is enough: it serves already.
  const needed = !ok ? unhealthyAfter : facts.verdict === 'unknown' ? 1 : healthyAfter;
  return against < needed
    ? { verdict: facts.verdict, against, ejectedMs: ejected }
    : { verdict, against: 0, ejectedMs: ejected };
}

/** Without active checks an endpoint counts as healthy: traffic alone judges it. */
const WITHOUT_PROBES: HealthThresholds = { healthyAfter: 1, unhealthyAfter: 1 };

export class EndpointHealth {
  readonly #thresholds: HealthThresholds;
  readonly #listeners = new Set<HealthListener>();
  #facts: HealthFacts;
  #lastError: string | null = null;
  #sinceMs: number;

  constructor(thresholds: HealthThresholds | null, nowMs: number) {
    this.#thresholds = thresholds ?? WITHOUT_PROBES;
    this.#facts = { verdict: thresholds === null ? 'healthy' : 'unknown', against: 0, ejectedMs: null };
    this.#sinceMs = nowMs;
  }

  get state(): HealthState {
    return stateOf(this.#facts);
  }
  /** What probes say, also while ejected. */
  get verdict(): Verdict {
    return this.#facts.verdict;
  }
  get isEligible(): boolean {
    return isServing(this.state);
  }
  get isEjected(): boolean {
    return this.#facts.ejectedMs !== null;
  }
  /** The next probe may change the verdict: look again sooner. */
  get isChanging(): boolean {
    return this.#facts.verdict === 'unknown' || this.#facts.against > 0;
  }
  get lastError(): string | null {
    return this.#lastError;
  }
  /** When `state` became what it is. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  subscribe(listener: HealthListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What one probe has found; `sentMs` is when it was sent. */
  onProbe(ok: boolean, cause: string, nowMs: number, sentMs = nowMs): void {
    if (!ok) this.#lastError = cause;
    this.#become(afterProbe(this.#facts, ok, sentMs, this.#thresholds), cause, nowMs);
  }

  eject(cause: string, nowMs: number): void {
    this.#lastError = cause;
    this.#become({ ...this.#facts, ejectedMs: nowMs }, cause, nowMs);
  }

  readmit(nowMs: number): void {
    this.#become({ ...this.#facts, ejectedMs: null }, 'the ejection is over', nowMs);
  }

  dispose(): void {
    this.#listeners.clear();
  }

  #become(next: HealthFacts, cause: string, nowMs: number): void {
    const from = stateOf(this.#facts);
    const to = stateOf(next);
    this.#facts = next;
    if (from === to) return;
    this.#sinceMs = nowMs;
    for (const listener of this.#listeners) listener(from, to, cause);
  }
}
