/**
 * Whether somebody who has to deliver, or to take, bytes keeps up a minimum speed. Who falls behind by more than the
 * grace is too slow:
 *
 *   behind  grows with the time in which the other side was waited for, shrinks by 1/rate for each byte, never below 0
 *
 * A pause within the grace costs nothing once its bytes have come, and a fast beginning buys no slow rest.
 * Times: monotonic milliseconds. (Kestrel: MinDataRate, which averages over the whole body instead.)
 */

/** More than this between two looks, and it was the process that stood still. */
const ELAPSED_MS_MAX = 2_000;

export class MinimumRate {
  readonly #bytesPerMs: number;
  readonly #graceMs: number;
  #behindMs = 0;
  #lookedAtMs: number;
  #bytes: number;

  /** `bytes`: how many have moved so far, as in `isTooSlow`. */
  constructor(bytesPerSecond: number, graceMs: number, nowMs: number, bytes: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#graceMs = graceMs;
    this.#lookedAtMs = nowMs;
    this.#bytes = bytes;
  }

  /** To be asked once in a while. `isWaitedFor`: whether the time since the last look is theirs. */
  isTooSlow(nowMs: number, isWaitedFor: boolean, bytes: number): boolean {
    const elapsedMs = isWaitedFor ? Math.min(nowMs - this.#lookedAtMs, ELAPSED_MS_MAX) : 0;
    const moved = Math.max(0, bytes - this.#bytes);
    this.#lookedAtMs = nowMs;
    this.#bytes = bytes;
    this.#behindMs = Math.max(0, this.#behindMs + elapsedMs - moved / this.#bytesPerMs);
    return this.#behindMs > this.#graceMs;
  }
}
