/**
 * Whether a cluster has nobody who serves. It outlives the pools, which come and go with plans; probers listen, because
 * each second until one of them finds an endpoint again is one without service.
 */
export class Outage {
  #isDown = false;
  readonly #listeners = new Set<() => void>();

  get isDown(): boolean {
    return this.#isDown;
  }

  become(isDown: boolean): void {
    const begins = isDown && !this.#isDown;
    this.#isDown = isDown;
    if (begins) for (const listener of [...this.#listeners]) listener();
  }

  /** Hears of the beginning of each outage. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
