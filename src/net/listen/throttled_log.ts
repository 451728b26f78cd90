/**
 * Limits log lines that clients can cause as often as they like: the first one is written at once, the later ones
 * together once a second, with their number.
 */
import type { Clock } from '../../resilience/clock.ts';

const SAY_EVERY_MS = 1_000;

export class ThrottledLog<Key> {
  readonly #clock: Clock;
  readonly #say: (key: Key, count: number) => void;
  /** Keys that were logged in the last second, with the count since. */
  readonly #since = new Map<Key, number>();
  #waiting = false;

  constructor(clock: Clock, say: (key: Key, count: number) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  add(key: Key): void {
    const since = this.#since.get(key);
    this.#since.set(key, since === undefined ? 0 : since + 1);
    if (since === undefined) this.#say(key, 1);
    this.#wait();
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.setTimer(ring, SAY_EVERY_MS, () => this.#flush());
  }

  #flush(): void {
    this.#waiting = false;
    for (const [key, count] of this.#since) {
      if (count === 0) {
        this.#since.delete(key);
        continue;
      }
      this.#since.set(key, 0); // logged now, so it is silent for another second
      this.#say(key, count);
    }
    if (this.#since.size > 0) this.#wait();
  }
}

function ring(flush: () => void): void {
  flush();
}
