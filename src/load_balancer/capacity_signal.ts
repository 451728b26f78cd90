/**
 * Who wants to know when one more request could be sent to an endpoint. After a reload the pool of the older plan
 * and that of the newer one share the connections of an endpoint: what a request of one gives back, a request that
 * waits in the other may take. So the signal belongs to the connections and not to a pool.
 */
import type { Upstream } from '../net/upstream.ts';

export class CapacitySignal {
  readonly #observers = new Set<() => void>();

  /** The function it returns ends that. In the order of listening: whoever belongs to the older plan is first. */
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
