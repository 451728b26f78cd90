/**
 *
 * The requests and tunnels that have not ended yet, for draining and for the status.
 *
 * An array with an index in each member, and not a Set: V8 keeps the outgrown tables of a Set whose members come and go, and
 * with them every request, until the next full garbage collection. That cost 12 us of CPU per request
 * (docs/performance.md).
 */
export interface ActiveMember {
  /** Index in the list; -1 while the request is not in it. */
  activeIndex: number;
}

export class ActiveRequests<T extends ActiveMember> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.activeIndex = this.#members.push(member) - 1;
  }

  /** The last member takes the place of the removed one. */
  remove(member: T): void {
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[member.activeIndex] = last;
      last.activeIndex = member.activeIndex;
    }
    member.activeIndex = -1;
  }

  /** Returns a copy, because members may be removed while it is iterated. */
  list(): readonly T[] {
    return [...this.#members];
  }
}

/** How many requests are on each route; `-`: no route has matched yet. */
export function countByRoute(
  requests: Iterable<{ readonly route: string | null }>,
): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { route } of requests) counts.set(route ?? '-', (counts.get(route ?? '-') ?? 0) + 1);
  return Object.fromEntries(counts);
}
