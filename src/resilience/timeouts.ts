/**
 *
 * The timeouts of one request while a backend works on it. Each has a name, a start and an end:
 *
 *   request       complete request (with its body) ..................... response head; includes all attempts and waits
 *   perTry        complete request at the backend ...................... response head
 *   bodyIdle      a chunk of a body that the client sends or reads ..... the next chunk
 *   responseHead  request sent to the backend .......................... response head
 *   responseIdle  head or chunk of the response from the backend ....... the next chunk, or the end
 *
 * (queue and connect belong to `load_balancer/pool` and `net/connect`; head and keepAliveIdle to `http/server`;
 * tunnelIdle to `http/tunnel`.)
 *
 * One system timer serves all of them: progress only moves a number, and a timer that fires too early compares the numbers
 * again. A request on the fast path sets and clears one or two timers.
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
  readonly #observer: TimeoutObserver;
  #timer: Timer | null = null;
  #timerDueAtMs = NEVER;
  #requestMs = 0;
  #requestDueAtMs = NEVER;
  #perTryMs = 0;
  #perTryDueAtMs = NEVER;
  #phase: Phase = 'responseHead';
  #phaseMs = 0;
  #phaseDueAtMs = NEVER;

  constructor(clock: Clock, observer: TimeoutObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** When the time for the whole request is over, in monotonic milliseconds; infinity without a limit. */
  get requestDueAtMs(): number {
    return this.#requestDueAtMs;
  }

  /** Starts the limit for the whole request, until `stopRequest`; null: no limit. `spentMs` of it have already passed. */
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

  /** Ends the current phase and starts this one. */
  startPhase(phase: Phase, limitMs: number | null): void {
    this.#phase = phase;
    this.#phaseMs = limitMs ?? 0;
    this.#phaseDueAtMs = this.#due(limitMs);
    this.#arm();
  }
  /** Ends the current phase and attempt; the request continues. */
  stopTry(): void {
    this.#perTryDueAtMs = NEVER;
    this.#phaseDueAtMs = NEVER;
  }
  /** Restarts the current phase after progress. */
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

  /** A timer that fires before the next due time is kept: it will compare again. */
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
    // A system timer may fire a fraction of a millisecond early.
    if (this.#requestDueAtMs - nowMs < 1) this.#fire('request', this.#requestMs);
    else if (this.#perTryDueAtMs - nowMs < 1) this.#fire('perTry', this.#perTryMs);
    else if (this.#phaseDueAtMs - nowMs < 1) this.#fire(this.#phase, this.#phaseMs);
    else this.#arm();
  }

  #fire(name: TimeoutName, afterMs: number): void {
    if (name === 'request') this.#requestDueAtMs = NEVER;
    this.stopTry();
    this.#arm();
    this.#observer.onTimeout(name, afterMs);
  }
}

function ring(timer: RequestTimer): void {
  timer.onRing();
}
