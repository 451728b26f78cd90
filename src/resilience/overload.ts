/**
 * Whether the process is overloaded, decided from samples of its event loop delay and its heap. Above a bound a growing
 * share of the new requests is refused; at twice the bound of the event loop delay, or with a full heap, all of them. So the
 * load settles at what the process can carry, instead of swinging between all and nothing.
 *
 * The delay is averaged over about a second: one long garbage collection is no overload, a loop that stays late is one.
 * (After Envoy's overload manager: resource monitors, scaled actions.)
 */
import type { Random } from './random.ts';

export interface OverloadSettings {
  /** Null: not watched. */
  readonly eventLoopDelayMs: number | null;
  /** Used heap as a share of V8's limit, 0 to 1; null: not watched. */
  readonly heapRatio: number | null;
}

/** `buffered_bytes` is watched by `buffer_account.ts`. It ends requests in flight instead of refusing new ones. */
export const OVERLOAD_SIGNALS = ['event_loop', 'heap', 'buffered_bytes'] as const;
export type OverloadSignal = (typeof OVERLOAD_SIGNALS)[number];

/** `value` is in the unit of the bound: milliseconds, or a ratio. */
export interface OverloadChange {
  readonly state: 'shedding' | 'normal';
  readonly signal: OverloadSignal;
  readonly value: number;
}

/** Interval of the samples. The weights below depend on it. */
export const OVERLOAD_SAMPLE_MS = 100;
const NEWEST_WEIGHT = 0.2;
/**
 * A sample counts at most this many times the bound. With the weight above, three late samples in a row reach the
 * bound.
 */
const SAMPLE_RATIO_MAX = 2.5;
/** The overload ends when the value is this far below the bound, so that it does not flap. */
const OVER_BELOW = 0.8;

export class Overload {
  #settings: OverloadSettings;
  readonly #onChange: (change: OverloadChange) => void;
  #delayMs = 0;
  #active: OverloadSignal | null = null;
  #share = 0;

  constructor(settings: OverloadSettings, onChange: (change: OverloadChange) => void) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  /** Null: not overloaded. */
  get active(): OverloadSignal | null {
    return this.#active;
  }

  setSettings(settings: OverloadSettings): void {
    this.#settings = settings;
  }

  /** Decides about one new request: the signal because of which it is refused, or null. */
  refusal(random: Random): OverloadSignal | null {
    return this.#share > 0 && random.unit() < this.#share ? this.#active : null;
  }

  sample(delayMs: number, heapRatio: number): void {
    const { eventLoopDelayMs, heapRatio: heapBound } = this.#settings;
    // A single pause (a garbage collection, a reload, a stopped machine) is one sample of many, however long it was.
    const countedMs = Math.min(delayMs, SAMPLE_RATIO_MAX * (eventLoopDelayMs ?? 0));
    this.#delayMs += (countedMs - this.#delayMs) * NEWEST_WEIGHT;
    const loopShare = eventLoopDelayMs === null ? 0 : this.#delayMs / eventLoopDelayMs - 1;
    const heapShare = heapBound === null ? 0 : (heapRatio - heapBound) / Math.max(1 - heapBound, 0.01);
    this.#share = Math.min(1, Math.max(0, loopShare, heapShare));
    if (this.#share > 0) {
      if (heapShare > loopShare) this.#become('heap', heapRatio);
      else this.#become('event_loop', this.#delayMs);
      return;
    }
    const isLoopLate = eventLoopDelayMs !== null && this.#delayMs > eventLoopDelayMs * OVER_BELOW;
    const isHeapFull = heapBound !== null && heapRatio > heapBound * OVER_BELOW;
    if (!isLoopLate && !isHeapFull) this.#become(null, this.#active === 'heap' ? heapRatio : this.#delayMs);
  }

  #become(signal: OverloadSignal | null, value: number): void {
    const before = this.#active;
    if (signal === before) return;
    this.#active = signal;
    const about = signal ?? before;
    if (about !== null)
      this.#onChange({ state: signal === null ? 'normal' : 'shedding', signal: about, value });
  }
}
