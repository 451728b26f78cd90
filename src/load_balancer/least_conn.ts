/**
 * Least requests by the power of two choices: of two members drawn at random, the one with fewer requests in
 * flight for its weight (Mitzenmacher 1996; Envoy's `weight / (active + 1)`). Nearly as even as asking all of
 * them, in constant time, and without everybody running to the one that looked idle a moment ago.
 */
import type { Random } from '../resilience/random.ts';
import { type Member, type Policy, scan, WeightedDraw } from './policy.ts';

const DRAWS = 3;

export class LeastRequestsPolicy<M extends Member> implements Policy<M> {
  readonly #random: Random;
  #members: readonly M[] = [];
  #draw = new WeightedDraw<M>([]);

  constructor(random: Random) {
    this.#random = random;
  }

  setMembers(members: readonly M[]): void {
    this.#members = members;
    this.#draw = new WeightedDraw(members);
  }

  pick(usable: (member: M) => boolean): M | null {
    for (let attempt = 0; attempt < DRAWS; attempt++) {
      const better = this.#better(this.#draw.draw(this.#random), this.#draw.draw(this.#random), usable);
      if (better !== null) return better;
    }
    return scan(this.#members, usable, this.#random);
  }

  #better(first: M | null, second: M | null, usable: (member: M) => boolean): M | null {
    const one = first !== null && usable(first) ? first : null;
    const two = second !== null && second !== first && usable(second) ? second : null;
    if (one === null || two === null) return one ?? two;
    return two.inFlight * one.weight < one.inFlight * two.weight ? two : one;
  }
}
