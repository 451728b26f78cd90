/**
 * Least requests by the power of two choices: of two different members drawn by weight, the one with fewer requests
 * in flight for its weight (Mitzenmacher 1996). Nearly as even as asking all of them, in constant time, and without
 * everybody running to the one that looked idle a moment ago.
 *
 * The two are different, so that with two endpoints the busier one is never taken while the other one is free to.
 * Compared is `inFlight / weight`, and a tie goes to the first one drawn: an idle cluster then shares by weight.
 * (Envoy compares `(active + 1) / weight`: between two idle ones that always chooses the heavier.)
 */
import type { Random } from '../resilience/random.ts';
import { type Member, type Policy, scan, takesTraffic, WeightedDraw } from './policy.ts';

const DRAWS = 3;

export class LeastRequestsPolicy<M extends Member> implements Policy<M> {
  readonly #random: Random;
  #members: readonly M[] = [];
  #draw = new WeightedDraw<M>([]);

  constructor(random: Random) {
    this.#random = random;
  }

  setMembers(members: readonly M[]): void {
    this.#members = members.filter(takesTraffic);
    this.#draw = new WeightedDraw(this.#members);
  }

  pick(usable: (member: M) => boolean): M | null {
    for (let attempt = 0; attempt < DRAWS; attempt++) {
      const first = this.#draw.draw(this.#random);
      const second = this.#draw.draw(this.#random, first);
      const better = lessBusy(this.#draw.member(first), this.#draw.member(second), usable);
      if (better !== null) return better;
    }
    return scan(this.#members, usable, this.#random);
  }
}

function lessBusy<M extends Member>(
  first: M | null,
  second: M | null,
  usable: (member: M) => boolean,
): M | null {
  const one = first !== null && usable(first) ? first : null;
  const two = second !== null && usable(second) ? second : null;
  if (one === null || two === null) return one ?? two;
  return two.inFlight * one.weight < one.inFlight * two.weight ? two : one;
}
