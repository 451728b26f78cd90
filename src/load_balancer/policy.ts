/** How one of several backends is chosen. Picking writes no more than a cursor and allocates nothing. */
import type { Random } from '../resilience/random.ts';

/** What a policy needs to know of a backend. */
export interface Member {
  /** At least 1. */
  readonly weight: number;
  readonly inFlight: number;
}

export interface Policy<M extends Member> {
  /** The members that may be picked from now on; called when health changes, not for each request. */
  setMembers(members: readonly M[]): void;
  /** One for which `usable` holds, or null when there is none: a usable member is never missed. */
  pick(usable: (member: M) => boolean): M | null;
}

/** The first usable one, looking from a random place on, so that what falls back does not fall on one. */
export function scan<M extends Member>(
  members: readonly M[],
  usable: (member: M) => boolean,
  random: Random,
): M | null {
  const start = Math.floor(random.unit() * members.length);
  for (let step = 0; step < members.length; step++) {
    const member = members[(start + step) % members.length];
    if (member !== undefined && usable(member)) return member;
  }
  return null;
}

/** Draws members by weight in O(log n): cumulative weights and a binary search. */
export class WeightedDraw<M extends Member> {
  readonly #members: readonly M[];
  readonly #sums: Float64Array;
  readonly #total: number;

  constructor(members: readonly M[]) {
    this.#members = members;
    this.#sums = new Float64Array(members.length);
    let total = 0;
    for (const [at, member] of members.entries()) {
      total += member.weight;
      this.#sums[at] = total;
    }
    this.#total = total;
  }

  draw(random: Random): M | null {
    const wanted = random.unit() * this.#total;
    let low = 0;
    let high = this.#members.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return this.#members[low] ?? null;
  }
}
