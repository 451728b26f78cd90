/**
 * Counts recent events in a ring of buckets with a running total, in constant time and without a timer.
 *
 *   now ──────────────────────────────▶ past
 *   [ filling ][ full ][ full ] … [ full ]   buckets that leave the ring are subtracted at the next access
 *
 * The newest bucket is only partly over: the count covers more than `buckets - 1` and at most `buckets` widths. Use a ring
 * of the wanted length to never count too much, and one bucket more to never forget too early.
 * Times are monotonic milliseconds of `Clock.nowMs()`.
 */
export class SlidingCount {
  readonly #bucketMs: number;
  readonly #counts: Uint32Array;
  #total = 0;
  #newest = 0; // number of the newest bucket since time began

  constructor(bucketMs: number, buckets: number) {
    this.#bucketMs = bucketMs;
    this.#counts = new Uint32Array(buckets);
  }

  add(nowMs: number, count = 1): void {
    this.#moveOn(nowMs);
    const at = this.#newest % this.#counts.length;
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.#total += count;
  }

  total(nowMs: number): number {
    this.#moveOn(nowMs);
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  #moveOn(nowMs: number): void {
    const current = Math.floor(nowMs / this.#bucketMs);
    if (current <= this.#newest) return;
    const { length } = this.#counts;
    const first = Math.max(this.#newest + 1, current - length + 1); // after a long pause the ring is emptied once
    for (let number = first; number <= current; number++) {
      this.#total -= this.#counts[number % length] ?? 0;
      this.#counts[number % length] = 0;
    }
    this.#newest = current;
  }
}
