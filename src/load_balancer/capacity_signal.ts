/**
 * Who wants to know when one more request could be sent to an endpoint. After a reload the pool of the older plan
 * and that of the newer one share the connections of an endpoint: what a request of one gives back, a request that
 * waits in the other may take. So the room belongs to the connections and not to a pool.
 */
import type { Upstream } from '../net/upstream.ts';

export class Room {
  readonly #listeners = new Set<() => void>();

  /** The function it returns ends that. In the order of listening: whoever belongs to the older plan is first. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A room lives exactly as long as its upstream. */
const rooms = new WeakMap<Upstream, Room>();

export function roomOf(upstream: Upstream): Room {
  const known = rooms.get(upstream);
  if (known !== undefined) return known;
  const room = new Room();
  rooms.set(upstream, room);
  upstream.onRoom(() => room.tell());
  return room;
}
