/**
 * How one of several backends is chosen. Picking writes no more than a cursor and allocates nothing; the work that
 * grows with the cluster is done when its members change.
 */
import type { Random } from '../resilience/random.ts';

/** What a policy needs to know of a backend. */
export interface Member {
  /** A whole number; 0 takes no traffic. */
  readonly weight: number;
  readonly inFlight: number;
}

export interface Policy<M extends Member> {
  /** The members that may be picked from now on; called when health changes, not for each request. */
  setMembers(members: readonly M[]): void;
  /**
   * One for which `usable` holds, or null when there is none: a usable member is never missed. Whoever calls keeps
   * one function for all picks. O(1) or O(log n) while most are usable; at worst each is asked once or twice.
   */
  pick(usable: (member: M) => boolean): M | null;
}

export function takesTraffic({ weight }: Member): boolean {
  return weight > 0;
}

/**
 * The first usable one, each asked once, beginning anywhere and in leaps: looking from neighbour to neighbour would
 * give the whole share of a long row of unusable ones to the one that stands behind it.
 */
export function scan<M extends Member>(
  members: readonly M[],
  usable: (member: M) => boolean,
  random: Random,
): M | null {
  const count = members.length;
  let at = Math.floor(random.unit() * count);
  const leap = leapThatVisitsAll(count, random);
  for (let step = 0; step < count; step++) {
    const member = members[at];
    if (member !== undefined && usable(member)) return member;
    at = (at + leap) % count;
  }
  return null;
}

/** Leaps of a length that has no divisor in common with the circle come to every place before any place twice. */
function leapThatVisitsAll(count: number, random: Random): number {
  let leap = 1 + Math.floor(random.unit() * (count - 1));
  while (greatestCommonDivisor(leap, count) > 1) leap--; // ends at 1
  return leap;
}

export function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
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

  member(at: number): M | null {
    return this.#members[at] ?? null;
  }

  /** The place of one member; never that at `except`; -1 when there is no other. */
  draw(random: Random, except = -1): number {
    const end = except < 0 ? 0 : (this.#sums[except] ?? 0);
    const weight = except < 0 ? 0 : (this.#members[except]?.weight ?? 0);
    const total = this.#total - weight;
    if (total <= 0) return -1;
    // As if the excepted member took no room on the line of weights.
    const drawn = random.unit() * total;
    const wanted = drawn < end - weight ? drawn : drawn + weight;
    let low = 0;
    let high = this.#members.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
