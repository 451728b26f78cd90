/**
 * How often something happened lately: a ring of buckets and a running total, in constant time, without a timer.
 *
 *   now ──────────────────────────────▶ past
 *   [ filling ][ full ][ full ] … [ full ]   what leaves the ring is taken off the total by whoever looks next
 *
 * The newest bucket is only partly over: the count covers more than `buckets - 1` and at most `buckets` widths.
 * Whoever must not count too much takes a ring of the wanted length; whoever must not forget too early, one more.
 * Times: monotonic milliseconds of `Clock.nowMs()`.
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

  add(nowMs: number): void {
    this.#moveOn(nowMs);
    const at = this.#newest % this.#counts.length;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total++;
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
    const first = Math.max(this.#newest + 1, current - length + 1); // after a long silence the ring is emptied once
    for (let number = first; number <= current; number++) {
      this.#total -= this.#counts[number % length] ?? 0;
      this.#counts[number % length] = 0;
    }
    this.#newest = current;
  }
}
