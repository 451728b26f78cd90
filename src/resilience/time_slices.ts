/**
 * Work that is too long for one turn of the event loop: a generator that yields wherever it may pause. It is written once
 * and runs either at once, where nothing else waits, or in slices, between which requests are served.
 */
import type { Clock } from './clock.ts';

/** Yields are places to pause; the return value is the result. */
export type SlicedWork<T> = Generator<undefined, T, undefined>;

/** Short beside what a client notices, long beside the cost of a turn. */
const SLICE_MS = 5;

export function runAtOnce<T>(work: SlicedWork<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Rejects with what the work throws. */
export async function runInSlices<T>(work: SlicedWork<T>, clock: Clock): Promise<T> {
  for (;;) {
    const untilMs = clock.nowMs() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (clock.nowMs() < untilMs);
    await nextTurn();
  }
}

/** Resolves after everything that waits now had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve));
}
