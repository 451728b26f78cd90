/** Takes the samples for `resilience/overload.ts`: how late a timer fires, and how full the heap is. */
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../resilience/clock.ts';
import { OVERLOAD_SAMPLE_MS, type Overload } from '../resilience/overload.ts';

export class OverloadWatch {
  readonly #overload: Overload;
  readonly #clock: Clock;
  readonly #heapRatio: () => number;
  #timer: Timer | null = null;
  #dueAtMs = 0;
  #ownMs = 0;

  constructor(overload: Overload, clock: Clock, heapRatio = systemHeapRatio) {
    this.#overload = overload;
    this.#clock = clock;
    this.#heapRatio = heapRatio;
    this.#wait();
  }

  sample(): void {
    const lateMs = this.#clock.nowMs() - this.#dueAtMs;
    this.#overload.sample(Math.max(0, lateMs - this.#ownMs), this.#heapRatio());
    this.#wait();
  }

  /** The process did some work of its own in one turn. Traffic did not cause that delay, so it must not refuse any. */
  ownWork<T>(work: () => T): T {
    const startedAtMs = this.#clock.nowMs();
    try {
      return work();
    } finally {
      this.#ownMs += this.#clock.nowMs() - startedAtMs;
    }
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }

  #wait(): void {
    this.#ownMs = 0;
    this.#dueAtMs = this.#clock.nowMs() + OVERLOAD_SAMPLE_MS;
    this.#timer = this.#clock.setTimer(sampleNow, OVERLOAD_SAMPLE_MS, this as OverloadWatch);
  }
}

function sampleNow(watch: OverloadWatch): void {
  watch.sample();
}

function systemHeapRatio(): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size / heap_size_limit;
}
