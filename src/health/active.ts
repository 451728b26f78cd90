/**
 * Probes one endpoint for as long as it is part of a plan: at once, then every interval with 20 % jitter, sooner
 * while probes disagree with the state, later while it stays down. One probe in flight at a time. (Intervals
 * after HAProxy's `inter`, `fastinter` and `downinter`.)
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import { type ProbeSettings, type ProbeTarget, probe } from './probe.ts';
import type { EndpointHealth } from './state.ts';

/** Probing an endpoint from the side. */
export interface ActiveHealthSettings {
  /** `tcp` only connects; `http` asks and compares the status. */
  readonly probe: ProbeSettings;
  readonly intervalMs: number;
  readonly timeoutMs: number; // at most intervalMs
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

const JITTER = 0.2;
const CHANGING_INTERVAL_MS_MAX = 2_000;
const DOWN_INTERVAL_MS_MAX = 30_000;

export class Prober {
  readonly #settings: ActiveHealthSettings;
  readonly #target: ProbeTarget;
  readonly #health: EndpointHealth;
  readonly #clock: Clock;
  readonly #random: Random;
  #timer: Timer | null = null;
  #stopProbe: (() => void) | null = null;
  #failuresWhileDown = 0;
  #disposed = false;

  constructor(
    settings: ActiveHealthSettings,
    target: ProbeTarget,
    health: EndpointHealth,
    clock: Clock,
    random: Random,
  ) {
    this.#settings = settings;
    this.#target = target;
    this.#health = health;
    this.#clock = clock;
    this.#random = random;
  }

  start(): void {
    this.#stopProbe = probe(
      this.#settings.probe,
      this.#target,
      this.#settings.timeoutMs,
      this.#clock,
      (ok, cause) => {
        this.#stopProbe = null;
        this.#health.onProbe(ok, cause, this.#clock.nowMs());
        this.#failuresWhileDown = ok || this.#health.state !== 'unhealthy' ? 0 : this.#failuresWhileDown + 1;
        if (!this.#disposed)
          this.#timer = this.#clock.setTimer(startAgain, this.nextDelayMs(), this as Prober);
      },
    );
  }

  nextDelayMs(): number {
    const { intervalMs } = this.#settings;
    let delayMs = intervalMs;
    if (this.#health.isChanging) delayMs = Math.min(intervalMs, CHANGING_INTERVAL_MS_MAX);
    else if (this.#failuresWhileDown > 1)
      delayMs = Math.max(
        intervalMs,
        Math.min(intervalMs * 2 ** (this.#failuresWhileDown - 1), DOWN_INTERVAL_MS_MAX),
      );
    return delayMs * (1 + JITTER * (2 * this.#random.unit() - 1));
  }

  dispose(): void {
    this.#disposed = true;
    this.#clock.cancelTimer(this.#timer);
    this.#stopProbe?.();
  }
}

function startAgain(prober: Prober): void {
  prober.start();
}
