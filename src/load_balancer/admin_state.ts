/**
 * Whether an operator has drained an endpoint. The state is kept by the address of the endpoint alone, so that no
 * reload and no changed setting puts it back by accident.
 */
export class AdminState {
  readonly #observers = new Set<() => void>();
  #drainedAtMs: number | null = null;

  get isDrained(): boolean {
    return this.#drainedAtMs !== null;
  }
  /** When it was drained, in monotonic milliseconds; null: it is not drained. */
  get drainedAtMs(): number | null {
    return this.#drainedAtMs;
  }

  get isWorthKeeping(): boolean {
    return this.isDrained;
  }

  /** Returns false if it was in that state already. */
  setDrained(isDrained: boolean, nowMs: number): boolean {
    if (isDrained === this.isDrained) return false;
    this.#drainedAtMs = isDrained ? nowMs : null;
    for (const observer of this.#observers) observer();
    return true;
  }

  subscribe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  dispose(): void {
    this.#observers.clear();
  }
}
