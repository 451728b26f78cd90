/**
 * What is known of the health of one endpoint. Two sources, kept apart: what probes said (`unknown → healthy ⇄
 * unhealthy`, with hysteresis) and what traffic said (ejected until a time). Health can only take an endpoint
 * out of rotation.
 *
 * `unknown` serves: right after a start nobody has been asked yet, and refusing everything until the first
 * probes are back would turn each restart into an outage.
 */

export type HealthState = 'unknown' | 'healthy' | 'unhealthy' | 'ejected';

export interface HealthThresholds {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export type HealthListener = (from: HealthState, to: HealthState, cause: string) => void;

export class EndpointHealth {
  readonly #thresholds: HealthThresholds;
  readonly #listeners = new Set<HealthListener>();
  #probed: 'unknown' | 'healthy' | 'unhealthy';
  #ejected = false;
  #streak = 0;
  #lastError: string | null = null;
  #sinceMs: number;

  /** Without active checks an endpoint counts as healthy: traffic alone judges it. */
  constructor(thresholds: HealthThresholds | null, nowMs: number) {
    this.#thresholds = thresholds ?? { healthyAfter: 1, unhealthyAfter: 1 };
    this.#probed = thresholds === null ? 'healthy' : 'unknown';
    this.#sinceMs = nowMs;
  }

  get state(): HealthState {
    return this.#ejected ? 'ejected' : this.#probed;
  }
  get isEligible(): boolean {
    return !this.#ejected && this.#probed !== 'unhealthy';
  }
  get isEjected(): boolean {
    return this.#ejected;
  }
  /** The last probes disagree with the state: look again sooner. */
  get isChanging(): boolean {
    return this.#probed === 'unknown' || this.#streak > 0;
  }
  get lastError(): string | null {
    return this.#lastError;
  }
  get sinceMs(): number {
    return this.#sinceMs;
  }

  subscribe(listener: HealthListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The verdict of one probe. */
  onProbe(ok: boolean, cause: string, nowMs: number): void {
    if (!ok) this.#lastError = cause;
    if (ok && this.#ejected)
      this.#change(
        () => {
          this.#ejected = false;
        },
        'a probe succeeded',
        nowMs,
      );
    const verdict = ok ? 'healthy' : 'unhealthy';
    if (this.#probed === verdict) {
      this.#streak = 0;
      return;
    }
    this.#streak++;
    // Nothing is known yet: the first success is enough to say so.
    const needed = ok
      ? this.#probed === 'unknown'
        ? 1
        : this.#thresholds.healthyAfter
      : this.#thresholds.unhealthyAfter;
    if (this.#streak < needed) return;
    this.#streak = 0;
    this.#change(
      () => {
        this.#probed = verdict;
      },
      cause,
      nowMs,
    );
  }

  eject(cause: string, nowMs: number): void {
    this.#lastError = cause;
    this.#change(
      () => {
        this.#ejected = true;
      },
      cause,
      nowMs,
    );
  }

  readmit(nowMs: number): void {
    this.#change(
      () => {
        this.#ejected = false;
      },
      'the ejection is over',
      nowMs,
    );
  }

  dispose(): void {
    this.#listeners.clear();
  }

  #change(apply: () => void, cause: string, nowMs: number): void {
    const from = this.state;
    apply();
    const to = this.state;
    if (from === to) return;
    this.#sinceMs = nowMs;
    for (const listener of this.#listeners) listener(from, to, cause);
  }
}
