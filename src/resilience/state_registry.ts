/**
 * Run-time state by key. A key is an identity (which endpoint of which cluster) plus a fingerprint of the settings that gave
 * the state its meaning, so that state survives a reload exactly as long as it means the same.
 *
 *   used ──(no plan and no name asks for it)──> disposed
 *     └─ worth keeping ──> kept ──(asked for again)──> used
 *                            └─ 10 min, 1,024 others, or no longer worth keeping ──> disposed
 *
 * An address that is missing from one DNS response, or a plan that is undone a minute later, must not bring back a backend
 * without its history: ejected, with an open circuit, drained. Healthy state is not kept: such an endpoint comes back as a
 * new one, with a slow start.
 */
import type { Clock } from './clock.ts';

interface Disposable {
  /** The state is no longer needed: stop timers, close what is idle. */
  dispose(): void;
  /** It holds something that new state would not know. Absent: never. */
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
  /** In the order in which they became unused. */
  readonly #kept = new Map<string, Kept>();
  #used = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True if one of its states is worth keeping; the others are dropped when it becomes unused. */
  get isWorthKeeping(): boolean {
    return this.#kept.size > 0 || this.#states.values().some(({ isWorthKeeping }) => isWorthKeeping === true);
  }

  /** The state under the key, or a new one. The key counts as used until the next `retainUsed`. */
  getOrCreate<T extends Disposable>(key: string, make: () => T): T {
    this.#used.add(key);
    const known = this.#states.get(key) ?? this.#takeKept(key);
    if (known !== null) return known as T; // a key begins with the kind of its state, so the type is always the same
    const made = make();
    this.#states.set(key, made);
    return made;
  }

  /** Whether state under the key is in use, by this plan or the previous one. */
  has(key: string): boolean {
    return this.#states.has(key);
  }

  /** Drops everything that was not asked for since the last call: what the previous plan needed and this one does not. */
  retainUsed(): void {
    for (const [key, state] of this.#states) {
      const isUsed = this.#used.has(key);
      if (state instanceof StateRegistry) state.retainUsed(); // a registry for a part that comes and goes by itself
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
