/**
 * State of the runtime by key. A key is an identity (which endpoint of which cluster) plus a fingerprint of the
 * settings that gave the state its meaning: so state survives a reload exactly as long as it still means the same.
 */
export interface Disposable {
  /** The state is of no use any more: stop timers, close what is idle. */
  dispose(): void;
}

export class StateRegistry implements Disposable {
  readonly #states = new Map<string, Disposable>();
  #used = new Set<string>();

  /** The state kept under the key, or a new one; the key counts as used until the next `retainUsed`. */
  getOrCreate<T extends Disposable>(key: string, make: () => T): T {
    this.#used.add(key);
    const kept = this.#states.get(key);
    if (kept !== undefined) return kept as T; // a key names its kind first, so it always holds the same type
    const made = make();
    this.#states.set(key, made);
    return made;
  }

  /** Something is kept under the key, by this plan or the one before. */
  has(key: string): boolean {
    return this.#states.has(key);
  }

  /** Forgets all that was not asked for since the last call: what the plan before needed and this one does not. */
  retainUsed(): void {
    for (const [key, state] of this.#states) {
      if (this.#used.has(key)) {
        if (state instanceof StateRegistry) state.retainUsed(); // one for a part that comes and goes by itself
        continue;
      }
      this.#states.delete(key);
      state.dispose();
    }
    this.#used = new Set();
  }

  dispose(): void {
    this.#used = new Set();
    this.retainUsed();
  }
}
