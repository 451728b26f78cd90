/**
 * Notifies observers when one more request could be sent to an endpoint. After a reload the pools of the old and the
 * new plan share the connections of an endpoint, and a connection that one pool frees may serve a request that waits
 * in the other. So the signal belongs to the connections and not to a pool.
 */
import type { Upstream } from '../net/upstream.ts';

export class CapacitySignal {
  readonly #observers = new Set<() => void>();

  /**
   * The returned function ends the observation. Observers are called in the order in which they were added, so the
   * older plan comes first.
   */
  observe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  notify(): void {
    for (const observer of this.#observers) observer();
  }
}

/** A signal lives exactly as long as its upstream. */
const signals = new WeakMap<Upstream, CapacitySignal>();

export function capacitySignalOf(upstream: Upstream): CapacitySignal {
  const known = signals.get(upstream);
  if (known !== undefined) return known;
  const signal = new CapacitySignal();
  signals.set(upstream, signal);
  upstream.onCapacity(() => signal.notify());
  return signal;
}
