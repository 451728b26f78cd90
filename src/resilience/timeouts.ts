/**
 * The timeouts of one request while a backend works on it. Each has a name, a start and an end:
 *
 *   request       request complete (body included) ..................... head of the answer; all attempts and waits
 *   perTry        the backend has the whole request ................. head of the answer
 *   bodyIdle      a piece of a body that the client sends or reads ..... the next one
 *   responseHead  request sent to the backend .......................... head of the answer
 *   responseIdle  head or piece of the answer from the backend ......... the next one, or its end
 *
 * (queue and connect belong to `load_balancer/pool` and `net/connect`; head and keepAliveIdle to `http/server`;
 * tunnelIdle to `http/tunnel`.)
 *
 * One system timer serves all of them: progress only moves a number, and a timer that rings too early looks
 * at the numbers again. A request on the fast path sets and clears one or two timers in all.
 */
import type { Clock, Timer } from './clock.ts';

type Phase = 'bodyIdle' | 'responseHead' | 'responseIdle';
export type TimeoutName = 'request' | 'perTry' | Phase;

export interface TimeoutObserver {
  onTimeout(name: TimeoutName, afterMs: number): void;
}

const NEVER = Number.POSITIVE_INFINITY;

export class RequestTimer {
  readonly #clock: Clock;
  readonly #listener: TimeoutObserver;
  #timer: Timer | null = null;
  #timerDueAtMs = NEVER;
  #requestMs = 0;
  #requestDueAtMs = NEVER;
  #perTryMs = 0;
  #perTryDueAtMs = NEVER;
  #phase: Phase = 'responseHead';
  #phaseMs = 0;
  #phaseDueAtMs = NEVER;

  constructor(clock: Clock, listener: TimeoutObserver) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** When the whole request is over; infinity while it is not limited. */
  get requestDueAtMs(): number {
    return this.#requestDueAtMs;
  }

  /** Until `stopRequest`; null: no limit. It has begun `spentMs` ago. */
  startRequest(limitMs: number | null, spentMs = 0): void {
    this.#requestMs = limitMs ?? 0;
    this.#requestDueAtMs = this.#due(limitMs) - spentMs;
    this.#arm();
  }
  stopRequest(): void {
    this.#requestDueAtMs = NEVER;
    this.#perTryDueAtMs = NEVER;
  }

  startTry(limitMs: number | null): void {
    this.#perTryMs = limitMs ?? 0;
    this.#perTryDueAtMs = this.#due(limitMs);
    this.#arm();
  }

  /** Ends the phase before and begins this one. */
  startPhase(phase: Phase, limitMs: number | null): void {
    this.#phase = phase;
    this.#phaseMs = limitMs ?? 0;
    this.#phaseDueAtMs = this.#due(limitMs);
    this.#arm();
  }
  /** Ends the phase and the attempt to which it belonged; the request goes on. */
  stopTry(): void {
    this.#perTryDueAtMs = NEVER;
    this.#phaseDueAtMs = NEVER;
  }
  /** Progress: the phase starts anew. */
  touch(): void {
    if (this.#phaseDueAtMs !== NEVER) this.#phaseDueAtMs = this.#clock.nowMs() + this.#phaseMs;
  }

  stop(): void {
    this.#requestDueAtMs = NEVER;
    this.stopTry();
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
    this.#timerDueAtMs = NEVER;
  }

  #due(limitMs: number | null): number {
    return limitMs === null ? NEVER : this.#clock.nowMs() + limitMs;
  }

  /** A timer that rings before the next due time is left alone: it will look again. */
  #arm(): void {
    const dueAtMs = Math.min(this.#requestDueAtMs, this.#perTryDueAtMs, this.#phaseDueAtMs);
    if (dueAtMs >= this.#timerDueAtMs) return;
    this.#clock.cancelTimer(this.#timer);
    this.#timerDueAtMs = dueAtMs;
    this.#timer = this.#clock.setTimer(ring, dueAtMs - this.#clock.nowMs(), this);
  }

  onRing(): void {
    this.#timer = null;
    this.#timerDueAtMs = NEVER;
    const nowMs = this.#clock.nowMs();
    // A system timer may ring a fraction of a millisecond early.
    if (this.#requestDueAtMs - nowMs < 1) this.#fire('request', this.#requestMs);
    else if (this.#perTryDueAtMs - nowMs < 1) this.#fire('perTry', this.#perTryMs);
    else if (this.#phaseDueAtMs - nowMs < 1) this.#fire(this.#phase, this.#phaseMs);
    else this.#arm();
  }

  #fire(name: TimeoutName, afterMs: number): void {
    if (name === 'request') this.#requestDueAtMs = NEVER;
    this.stopTry();
    this.#arm();
    this.#listener.onTimeout(name, afterMs);
  }
}

function ring(timer: RequestTimer): void {
  timer.onRing();
}
