/**
 * Whether a cluster has no eligible endpoint. It outlives the pools, which come and go with plans. Probers observe
 * it, because every second until a probe finds a working endpoint is a second without service.
 */
export class Outage {
  #isDown = false;
  readonly #observers = new Set<() => void>();

  get isDown(): boolean {
    return this.#isDown;
  }

  become(isDown: boolean): void {
    const begins = isDown && !this.#isDown;
    this.#isDown = isDown;
    if (begins) for (const observer of [...this.#observers]) observer();
  }

  /** Observes the beginning of each outage. */
  subscribe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  dispose(): void {
    this.#observers.clear();
  }
}
