/**
 * Event loop delay over about the last minute.
 *
 * Two windows get the same samples and are emptied alternately every half minute, so the older one covers 30 to 60 seconds.
 * Reading empties nothing: any number of scrapers see the same value. The age of a window is its number of samples; one that
 * is not read keeps growing, and the next reader sees all of it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Node measures the time between two firings of a timer, which includes its interval. */
const SAMPLE_EVERY_MS = 10;
const SAMPLE_EVERY_NS = SAMPLE_EVERY_MS * 1e6;
const SAMPLES_PER_TURN = 30_000 / SAMPLE_EVERY_MS;

/** The part of `IntervalHistogram` that is used; in nanoseconds. */
export interface DelayWindow {
  readonly count: number;
  percentile(percentile: number): number;
  reset(): void;
}

export class EventLoopDelay {
  #older: DelayWindow;
  #younger: DelayWindow;

  constructor(openWindow: () => DelayWindow = watchEventLoop) {
    this.#older = openWindow();
    this.#younger = openWindow();
  }

  /** The 99th percentile in milliseconds; 0 before the first sample. */
  p99Seconds(): number {
    const p99Ns = this.#older.percentile(99) - SAMPLE_EVERY_NS;
    if (this.#younger.count >= SAMPLES_PER_TURN) this.#turn();
    return Math.max(0, p99Ns / 1e9);
  }

  #turn(): void {
    const emptied = this.#older;
    emptied.reset();
    this.#older = this.#younger;
    this.#younger = emptied;
  }
}

function watchEventLoop(): DelayWindow {
  const window = monitorEventLoopDelay({ resolution: SAMPLE_EVERY_MS });
  window.enable();
  return window;
}
