/**
 * An endpoint that an operator has taken out by hand, or not. Kept by the address of the endpoint alone, so that no reload
 * and no change of a setting puts it back by accident.
 */
export class AdminState {
  readonly #observers = new Set<() => void>();
  #drainedAtMs: number | null = null;

  get isDrained(): boolean {
    return this.#drainedAtMs !== null;
  }
  /** Since when; null: it is not. */
  get drainedAtMs(): number | null {
    return this.#drainedAtMs;
  }

  get isWorthKeeping(): boolean {
    return this.isDrained;
  }

  /** False: it was so before. */
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
