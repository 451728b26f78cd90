/**
 * Load balancing policies choose one of several backends. A pick writes at most a cursor and allocates nothing; work
 * that grows with the cluster is done when its endpoints change.
 */
import type { Random } from '../resilience/random.ts';

/** A backend as a policy sees it. */
export interface Pickable {
  /** A whole number; 0 gets no traffic. */
  readonly weight: number;
  readonly inFlight: number;
}

export interface Policy<M extends Pickable> {
  /** Sets the backends to pick from; called when health changes, not for each request. */
  setEndpoints(members: readonly M[]): void;
  /**
   * Returns a backend for which `usable` holds, or null if there is none: a usable backend is never missed. Callers
   * keep one function for all picks. O(1) or O(log n) while most are usable; at worst each one is asked once or
   * twice.
   */
  pick(usable: (member: M) => boolean): M | null;
}

export function takesTraffic({ weight }: Pickable): boolean {
  return weight > 0;
}

/**
 * The first usable one, each asked once, from a random start in leaps. A scan from neighbour to neighbour would send
 * the whole share of a long row of unusable ones to the one after it.
 */
export function scan<M extends Pickable>(
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

/** A leap without a common divisor with the length of the circle visits every position before it visits one twice. */
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
export class WeightedDraw<M extends Pickable> {
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

  /** The index of a backend, never `except`; -1 if there is no other. */
  draw(random: Random, except = -1): number {
    const end = except < 0 ? 0 : (this.#sums[except] ?? 0);
    const weight = except < 0 ? 0 : (this.#members[except]?.weight ?? 0);
    const total = this.#total - weight;
    if (total <= 0) return -1;
    // As if the excepted one had no weight.
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

/** Draws backends by weight a few times, then scans all: the frame that `random` and `leastRequests` have in common. */
export class DrawingPolicy<M extends Pickable> implements Policy<M> {
  readonly #random: Random;
  readonly #drawUsable: DrawUsable<M>;
  #members: readonly M[] = [];
  #draw = new WeightedDraw<M>([]);

  /** `drawUsable` is called up to three times per pick. */
  constructor(random: Random, drawUsable: DrawUsable<M>) {
    this.#random = random;
    this.#drawUsable = drawUsable;
  }

  setEndpoints(members: readonly M[]): void {
    this.#members = members.filter(takesTraffic);
    this.#draw = new WeightedDraw(this.#members);
  }

  pick(usable: (member: M) => boolean): M | null {
    for (let attempt = 0; attempt < DRAWS; attempt++) {
      const drawn = this.#drawUsable(this.#draw, usable, this.#random);
      if (drawn !== null) return drawn;
    }
    return scan(this.#members, usable, this.#random);
  }
}

/** One draw; null if what was drawn is not usable. */
type DrawUsable<M extends Pickable> = (
  draw: WeightedDraw<M>,
  usable: (member: M) => boolean,
  random: Random,
) => M | null;

/** With half of the backends unusable, one request in eight misses three times and is scanned for. */
const DRAWS = 3;
