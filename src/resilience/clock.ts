/**
 * Time as a parameter, so that a test can move it by hand.
 *
 * `nowMs` is monotonic with an arbitrary start: use it for durations and deadlines. `wallMs` is the calendar time. It can
 * jump, and is only for what a person or another machine reads.
 */

/** A handle for `cancelTimer`. */
export type Timer = { readonly __brand: 'Timer' };

export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC. */
  wallMs(): number;
  /**
   * Calls `callback(argument)` once, not before `delayMs` have passed. A timer does not keep the process alive. A
   * timer that fires late, because the process or the machine was stopped, first lets the event loop read what has
   * arrived: the response that it waits for may have come in time.
   */
  setTimer<T>(callback: (argument: T) => void, delayMs: number, argument: T): Timer;
  /** Cancels a timer; null or a timer that has fired is ignored. */
  cancelTimer(timer: Timer | null): void;
}

/** A timer that is later than this says something about this process, not about the peer. */
const LATE_MS = 250;

/** Node stores the delay in 32 bits; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

/** CLOCK_MONOTONIC in microseconds, for the service manager only. */
export function systemMonotonicUsec(): bigint {
  return process.hrtime.bigint() / 1_000n;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(callback, delayMs, argument) {
    return new SystemTimer(callback as (argument: unknown) => void, delayMs, argument) as unknown as Timer;
  },
  cancelTimer(timer) {
    if (timer !== null) (timer as unknown as SystemTimer).cancel();
  },
};

class SystemTimer {
  readonly #callback: (argument: unknown) => void;
  readonly #argument: unknown;
  readonly #dueAtMs: number;
  readonly #timeout: NodeJS.Timeout;
  #isCancelled = false;

  constructor(callback: (argument: unknown) => void, delayMs: number, argument: unknown) {
    const waitMs = Math.min(Math.max(0, delayMs), TIMER_DELAY_MS_MAX);
    this.#callback = callback;
    this.#argument = argument;
    this.#dueAtMs = performance.now() + waitMs;
    this.#timeout = setTimeout(onSystemTimer, waitMs, this);
    this.#timeout.unref();
  }

  cancel(): void {
    this.#isCancelled = true;
    clearTimeout(this.#timeout);
  }

  ring(): void {
    if (performance.now() - this.#dueAtMs > LATE_MS) setImmediate(afterReading, this);
    else this.#callback(this.#argument);
  }

  /** Timers fire before the event loop reads, and `setImmediate` runs after it, when the sockets have been read. */
  ringAfterReading(): void {
    if (!this.#isCancelled) this.#callback(this.#argument);
  }
}

function onSystemTimer(timer: SystemTimer): void {
  timer.ring();
}
function afterReading(timer: SystemTimer): void {
  setImmediate(callNow, timer); // the event loop has polled once; what it read may have queued more turns
}
function callNow(timer: SystemTimer): void {
  timer.ringAfterReading();
}

/** Keeps the process alive until the returned function is called. */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, TIMER_DELAY_MS_MAX);
  return () => clearInterval(timer);
}
