/**
 * The requests and tunnels whose end is still to come, for draining and for status.
 *
 * An array with the place noted in each member, and not a Set: a Set of objects that come and go leaves its outgrown
 * tables behind as garbage of the old generation, and those keep every request alive until the next full collection.
 * That cost 12 us of CPU per request (docs/performance.md).
 */
export interface ActiveMember {
  /** Place in the list; -1 while it is not there. */
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

  /** The last member takes the place of the one that goes. */
  remove(member: T): void {
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[member.activeIndex] = last;
      last.activeIndex = member.activeIndex;
    }
    member.activeIndex = -1;
  }

  /** A copy: members may go while it is walked. */
  list(): readonly T[] {
    return [...this.#members];
  }
}

/** How many are on each route; `-`: on none yet. */
export function countByRoute(
  requests: Iterable<{ readonly route: string | null }>,
): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { route } of requests) counts.set(route ?? '-', (counts.get(route ?? '-') ?? 0) + 1);
  return Object.fromEntries(counts);
}
