/** Weighted random choice: no state, no memory, fair in the long run. */
import type { Random } from '../resilience/random.ts';
import { type Member, type Policy, scan, takesTraffic, WeightedDraw } from './policy.ts';

/** Draws before the scan: with half of the members unusable, three misses are one request in eight. */
const DRAWS = 3;

export class RandomPolicy<M extends Member> implements Policy<M> {
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
      const member = this.#draw.member(this.#draw.draw(this.#random));
      if (member !== null && usable(member)) return member;
    }
    return scan(this.#members, usable, this.#random);
  }
}
