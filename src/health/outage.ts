/**
 * Whether a cluster has no eligible endpoint. It outlives the pools, which come and go with plans. Probers observe
 * it, because every second until a probe finds a working endpoint is a second without service.
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

  /** Observes the beginning of each outage. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
