/**
 * State of the runtime by key. A key is an identity (which endpoint of which cluster) plus a fingerprint of the
 * settings that gave the state its meaning: so state survives a reload exactly as long as it still means the same.
 *
 *   used ──(no plan, no name asks for it)──> disposed
 *     └─ it is worth keeping ──> kept ──(asked for again)──> used
 *                                  └─ 10 min, 1,024 others, or not worth keeping any more ──> disposed
 *
 * An address that a name server leaves out of one answer, or a plan that is undone a minute later, must not bring a
 * backend back as if nothing had been known of it: ejected, with an open circuit, drained by hand. What is well is not
 * kept: it comes back as somebody new, and warms up.
 */
import type { Clock } from './clock.ts';

interface Disposable {
  /** The state is of no use any more: stop timers, close what is idle. */
  dispose(): void;
  /** It holds something that a new one would not know. Absent: never. */
  readonly isWorthKeeping?: boolean;
}

const KEPT_MS = 600_000;
const KEPT_MAX = 1_024;

interface Kept {
  readonly state: Disposable;
  readonly expiresAtMs: number;
}

export class StateRegistry implements Disposable {
  readonly #clock: Clock;
  readonly #states = new Map<string, Disposable>();
  /** In the order in which they came out of use. */
  readonly #kept = new Map<string, Kept>();
  #used = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One of its states is; those that are not go when it comes out of use. */
  get isWorthKeeping(): boolean {
    return this.#kept.size > 0 || this.#states.values().some(({ isWorthKeeping }) => isWorthKeeping === true);
  }

  /** The state kept under the key, or a new one; the key counts as used until the next `retainUsed`. */
  getOrCreate<T extends Disposable>(key: string, make: () => T): T {
    this.#used.add(key);
    const known = this.#states.get(key) ?? this.#takeKept(key);
    if (known !== null) return known as T; // a key names its kind first, so it always holds the same type
    const made = make();
    this.#states.set(key, made);
    return made;
  }

  /** Something is in use under the key, by this plan or the one before. */
  has(key: string): boolean {
    return this.#states.has(key);
  }

  /** Lets go of all that was not asked for since the last call: what the plan before needed and this one does not. */
  retainUsed(): void {
    for (const [key, state] of this.#states) {
      const isUsed = this.#used.has(key);
      if (state instanceof StateRegistry) state.retainUsed(); // one for a part that comes and goes by itself
      if (isUsed) continue;
      this.#states.delete(key);
      if (state.isWorthKeeping === true)
        this.#kept.set(key, { state, expiresAtMs: this.#clock.nowMs() + KEPT_MS });
      else state.dispose();
    }
    this.#used = new Set();
    this.#forgetSome();
  }

  dispose(): void {
    for (const state of this.#states.values()) state.dispose();
    for (const { state } of this.#kept.values()) state.dispose();
    this.#states.clear();
    this.#kept.clear();
    this.#used = new Set();
  }

  #takeKept(key: string): Disposable | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    if (this.#isOver(kept)) {
      kept.state.dispose();
      return null;
    }
    this.#states.set(key, kept.state);
    return kept.state;
  }

  #forgetSome(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= KEPT_MAX && !this.#isOver(kept)) continue;
      this.#kept.delete(key);
      kept.state.dispose();
    }
  }

  #isOver({ state, expiresAtMs }: Kept): boolean {
    return this.#clock.nowMs() >= expiresAtMs || state.isWorthKeeping !== true;
  }
}
