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
  /** Calls `callback(argument)` once, not before `delayMs` have passed. A timer does not keep the process alive. */
  setTimer<T>(callback: (argument: T) => void, delayMs: number, argument: T): Timer;
  /** Forgets a timer; one that has fired, or null, is ignored. */
  cancelTimer(timer: Timer | null): void;
}

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
    const timeout = setTimeout(callback, Math.min(Math.max(0, delayMs), TIMER_DELAY_MS_MAX), argument);
    timeout.unref();
    return timeout as unknown as Timer;
  },
  cancelTimer(timer) {
    if (timer !== null) clearTimeout(timer as unknown as NodeJS.Timeout);
  },
};

/** Keeps the process alive, whatever else there is to wait for, until the function that it returns is called. */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, TIMER_DELAY_MS_MAX);
  return () => clearInterval(timer);
}
