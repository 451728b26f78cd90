/**
 * Time, handed in by parameter, so that a test can move it by hand.
 *
 * `nowMs` is monotonic and has an arbitrary start: durations and deadlines come from it. `wallMs` is the
 * calendar time, can jump, and is only for what a person or another machine reads.
 */

/** A handle for `cancelTimer`; says nothing else. */
export type Timer = { readonly __brand: 'Timer' };

export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC. */
  wallMs(): number;
  /**
   * Calls `callback(argument)` once, not before `delayMs` have passed. A timer does not keep the process alive. One that rings
   * late, because the process or the machine stood still, first lets the event loop read what has come meanwhile: the
   * answer that it waits for may have been there in time.
   */
  setTimer<T>(callback: (argument: T) => void, delayMs: number, argument: T): Timer;
  /** Forgets a timer; one that has fired, or null, is ignored. */
  cancelTimer(timer: Timer | null): void;
}

/** A timer that is later than this does not speak of the other side, but of this process. */
const LATE_MS = 250;

/** A longer delay would fire at once: Node keeps it in 32 bits. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

/** CLOCK_MONOTONIC in microseconds, as a service manager compares it; for nothing else. */
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

  /** Timers ring before the event loop reads, and `setImmediate` comes after: what waited in the sockets has been heard. */
  ringAfterReading(): void {
    if (!this.#isCancelled) this.#callback(this.#argument);
  }
}

function onSystemTimer(timer: SystemTimer): void {
  timer.ring();
}
function afterReading(timer: SystemTimer): void {
  setImmediate(callNow, timer); // the phase before this one has polled; what it read may have queued more turns
}
function callNow(timer: SystemTimer): void {
  timer.ringAfterReading();
}

/** Keeps the process alive, whatever else there is to wait for, until the function that it returns is called. */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, TIMER_DELAY_MS_MAX);
  return () => clearInterval(timer);
}
