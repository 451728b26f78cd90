/**
 * Probes one endpoint for as long as it is part of a plan: at once, then every interval with 20 % jitter; sooner
 * while probes contradict the state, later while the endpoint stays down and others are eligible. One probe in flight
 * at a time. (The intervals follow HAProxy's `inter`, `fastinter` and `downinter`.)
 */
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import type { Disagreement } from './disagreement.ts';
import type { Outage } from './outage.ts';
import { type ProbeSettings, type ProbeTarget, probe } from './probe.ts';
import type { EndpointHealth } from './state.ts';

/** Settings of active health checks. */
export interface ActiveHealthSettings {
  readonly probe: ProbeSettings;
  readonly intervalMs: number;
  readonly timeoutMs: number; // at most intervalMs
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

const JITTER = 0.2;
const CHANGING_INTERVAL_MS_MAX = 2_000;
const DOWN_INTERVAL_MS_MAX = 30_000;
/** After this many failures a dead endpoint is probed less often. */
const SLOW_AFTER = 2;

export class Prober {
  readonly #settings: ActiveHealthSettings;
  readonly #target: ProbeTarget;
  readonly #health: EndpointHealth;
  readonly #disagreement: Disagreement | null;
  readonly #outage: Outage;
  readonly #unsubscribe: () => void;
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
    outage: Outage,
    disagreement: Disagreement | null = null,
  ) {
    this.#outage = outage;
    this.#unsubscribe = outage.subscribe(() => this.#hurry());
    this.#disagreement = disagreement;
    this.#settings = settings;
    this.#target = target;
    this.#health = health;
    this.#clock = clock;
    this.#random = random;
  }

  start(): void {
    const sentAtMs = this.#clock.nowMs();
    this.#timer = null;
    this.#stopProbe = probe(
      this.#settings.probe,
      this.#target,
      this.#settings.timeoutMs,
      this.#clock,
      (ok, cause) => this.#onResult(ok, cause, sentAtMs),
      () => this.#onUnsent(),
    );
  }

  #onResult(ok: boolean, cause: string, sentAtMs: number): void {
    this.#stopProbe = null;
    this.#disagreement?.onProbe(ok, cause, this.#health.isEjected, this.#clock.nowMs());
    this.#health.onProbe(ok, cause, this.#clock.nowMs(), sentAtMs);
    // Not `state`: an ejection by passive health hides what probes say.
    this.#failuresWhileDown = ok || this.#health.verdict !== 'unhealthy' ? 0 : this.#failuresWhileDown + 1;
    if (this.#disposed) return; // an observer of the change has disposed of it
    if (this.#outage.isDown) this.#failuresWhileDown = 0;
    const pauseMs = probePauseMs(this.#settings.intervalMs, this.#health.isChanging, this.#failuresWhileDown);
    this.#startIn(pauseMs * (1 + JITTER * (2 * this.#random.unit() - 1)));
  }

  /** The probe could not be sent: the state stays as it is. */
  #onUnsent(): void {
    this.#stopProbe = null;
    this.#startIn(this.#settings.intervalMs * (1 + JITTER * (2 * this.#random.unit() - 1)));
  }

  #startIn(delayMs: number): void {
    this.#timer = this.#clock.setTimer(startAgain, delayMs, this as Prober);
  }

  /** The endpoint may have recovered since its last probe, when it was probed slowly. */
  #hurry(): void {
    const isSlow = this.#failuresWhileDown >= SLOW_AFTER && this.#timer !== null;
    this.#failuresWhileDown = 0;
    if (!isSlow) return;
    this.#clock.cancelTimer(this.#timer);
    this.#startIn(this.#settings.intervalMs * this.#random.unit());
  }

  dispose(): void {
    this.#disposed = true;
    this.#unsubscribe();
    this.#clock.cancelTimer(this.#timer);
    this.#stopProbe?.();
  }
}

/** Time from one result to the next probe, before jitter. */
export function probePauseMs(intervalMs: number, changing: boolean, failuresWhileDown: number): number {
  if (changing) return Math.min(intervalMs, CHANGING_INTERVAL_MS_MAX);
  if (failuresWhileDown < SLOW_AFTER) return intervalMs;
  return Math.max(intervalMs, Math.min(intervalMs * 2 ** (failuresWhileDown - 1), DOWN_INTERVAL_MS_MAX));
}

function startAgain(prober: Prober): void {
  prober.start();
}
