/**
 * An endpoint that an operator has taken out by hand, or not. Kept by the address of the endpoint alone, so that no reload
 * and no change of a setting puts it back by accident.
 */
export class Admission {
  readonly #listeners = new Set<() => void>();
  #isDrained = false;

  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** False: it was so before. */
  setDrained(isDrained: boolean): boolean {
    if (isDrained === this.#isDrained) return false;
    this.#isDrained = isDrained;
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
