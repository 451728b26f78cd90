/**
 * Whether a peer that sends or reads bytes keeps up a minimum rate. It is too slow when it is behind by more than the grace:
 *
 *   behind  grows with the time for which we wait for the peer, shrinks by 1/rate for each byte, never below 0
 *
 * A pause within the grace is forgotten once its bytes have arrived, and a fast beginning does not allow a slow rest.
 * Times are monotonic milliseconds. (Kestrel's MinDataRate averages over the whole body instead.)
 */

/** If more time than this is between two checks, the process itself was blocked. */
const ELAPSED_MS_MAX = 2_000;

export class MinimumRate {
  readonly #bytesPerMs: number;
  readonly #graceMs: number;
  #behindMs = 0;
  #checkedAtMs: number;
  #bytes: number;

  /** `bytes`: total so far, as in `isTooSlow`. */
  constructor(bytesPerSecond: number, graceMs: number, nowMs: number, bytes: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#graceMs = graceMs;
    this.#checkedAtMs = nowMs;
    this.#bytes = bytes;
  }

  /** Called regularly. `isWaitedFor`: whether the time since the last call counts against the peer. */
  isTooSlow(nowMs: number, isWaitedFor: boolean, bytes: number): boolean {
    const elapsedMs = isWaitedFor ? Math.min(nowMs - this.#checkedAtMs, ELAPSED_MS_MAX) : 0;
    const moved = Math.max(0, bytes - this.#bytes);
    this.#checkedAtMs = nowMs;
    this.#bytes = bytes;
    this.#behindMs = Math.max(0, this.#behindMs + elapsedMs - moved / this.#bytesPerMs);
    return this.#behindMs > this.#graceMs;
  }
}
