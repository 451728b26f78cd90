/**
 * An endpoint that an operator has taken out by hand, or not. Kept by the address of the endpoint alone, so that no reload
 * and no change of a setting puts it back by accident.
 */
export class AdminState {
  readonly #listeners = new Set<() => void>();
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
    for (const listener of this.#listeners) listener();
    return true;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
