/**
 * Smooth weighted round robin (nginx): with weights 2 and 1 the order is a b a, not a a b. The order of a whole
 * turn is computed when the members change; a pick only moves a cursor. The cursor is handed in, so that a reload
 * does not begin again with the first member.
 */
import type { Random } from '../resilience/random.ts';
import { type Member, type Policy, scan } from './policy.ts';

export interface Cursor {
  at: number;
  dispose(): void;
}

/** A turn is at most so long; larger weights are scaled down, which changes shares by less than one in a hundred. */
const TURN_MAX = 10_000;
/** Places of the turn that are tried before the scan. */
const STEPS_MAX = 16;

export class RoundRobinPolicy<M extends Member> implements Policy<M> {
  readonly #cursor: Cursor;
  readonly #random: Random;
  #members: readonly M[] = [];
  #turn: readonly M[] = [];

  constructor(cursor: Cursor, random: Random) {
    this.#cursor = cursor;
    this.#random = random;
  }

  setMembers(members: readonly M[]): void {
    this.#members = members;
    this.#turn = smoothTurn(members);
  }

  pick(usable: (member: M) => boolean): M | null {
    const length = this.#turn.length;
    for (let step = 0; step < Math.min(STEPS_MAX, length); step++) {
      this.#cursor.at = (this.#cursor.at + 1) % length;
      const member = this.#turn[this.#cursor.at];
      if (member !== undefined && usable(member)) return member;
    }
    return scan(this.#members, usable, this.#random);
  }
}

/** Each member stands as often as its weight says, spread evenly: place k of member i is at (k + 1/2) / weight of the turn. */
export function smoothTurn<M extends Member>(members: readonly M[]): M[] {
  const divisor = members.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0);
  const total = members.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, divisor);
  const scale = Math.min(1, TURN_MAX / total) / Math.max(1, divisor);
  const places: { readonly at: number; readonly order: number; readonly member: M }[] = [];
  for (const [order, member] of members.entries()) {
    const times = Math.max(1, Math.round(member.weight * scale));
    for (let k = 0; k < times; k++) places.push({ at: (k + 0.5) / times, order, member });
  }
  return places.sort((a, b) => a.at - b.at || a.order - b.order).map(({ member }) => member);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
