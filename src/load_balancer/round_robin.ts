/**
 * Smooth weighted round robin, in the order of nginx: with weights 5, 1 and 1 a turn is a a b a c a a, spread and not
 * in bursts. The order of a turn is computed when the endpoints change; a pick only moves a cursor. The cursor is a
 * parameter, so that a reload does not begin again with the first endpoint.
 */
import type { Random } from '../resilience/random.ts';
import { greatestCommonDivisor, type Pickable, type Policy, scan, takesTraffic } from './policy.ts';

interface Cursor {
  at: number;
  dispose(): void;
}

/**
 * Approximate maximum length of a turn. Larger weights are scaled down and rounded, to at least one position: a share
 * is then off by up to one position per endpoint and turn.
 */
const TURN_MAX = 10_000;
/** Positions of the turn that are tried before the scan. */
const STEPS_MAX = 16;

export class RoundRobinPolicy<M extends Pickable> implements Policy<M> {
  readonly #cursor: Cursor;
  readonly #random: Random;
  #members: readonly M[] = [];
  #turn: readonly M[] = [];

  constructor(cursor: Cursor, random: Random) {
    this.#cursor = cursor;
    this.#random = random;
  }

  setEndpoints(members: readonly M[]): void {
    this.#members = members.filter(takesTraffic);
    this.#turn = smoothTurn(this.#members);
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

/** Backends with the same number of positions. They take turns, so that one counter serves all of them. */
interface Group {
  readonly places: number;
  readonly members: number[];
  picked: number;
}

/**
 *
 * nginx adds to each backend its weight and takes the one with the highest sum (the first of several), from which it
 * subtracts the total. After `step` steps that sum is `step * weight - picks * total`. So among equal weights the one with
 * the fewest picks is next, and only one of each group has to be compared. The square root of TURN_MAX bounds the number of
 * groups, whatever the number of backends.
 */
export function smoothTurn<M extends Pickable>(members: readonly M[]): M[] {
  const groups = groupByPlaces(members);
  const total = groups.reduce((sum, group) => sum + group.places * group.members.length, 0);
  const turn: M[] = [];
  for (let step = 1; step <= total; step++) {
    let best: Group | null = null;
    let bestSum = Number.NEGATIVE_INFINITY;
    for (const group of groups) {
      const rounds = Math.floor(group.picked / group.members.length);
      const sum = step * group.places - rounds * total;
      if (sum > bestSum || (sum === bestSum && best !== null && nextOf(group) < nextOf(best))) {
        best = group;
        bestSum = sum;
      }
    }
    const member = best === null ? undefined : members[nextOf(best)];
    if (best === null || member === undefined) break;
    turn.push(member);
    best.picked++;
  }
  return turn;
}

function nextOf({ members, picked }: Group): number {
  return members[picked % members.length] ?? 0;
}

function groupByPlaces(members: readonly Pickable[]): Group[] {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const divisor = members.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0);
  const scale = total / divisor <= TURN_MAX ? 1 / divisor : TURN_MAX / total;
  const groups = new Map<number, Group>();
  for (const [at, { weight }] of members.entries()) {
    const places = Math.max(1, Math.round(weight * scale));
    const group = groups.get(places);
    if (group === undefined) groups.set(places, { places, members: [at], picked: 0 });
    else group.members.push(at);
  }
  return [...groups.values()];
}
