/**
 * Least requests by the power of two choices: of two different backends drawn by weight, the one with fewer requests in
 * flight for its weight (Mitzenmacher 1996). Nearly as even as comparing all of them, in constant time, and without all
 * requests running to the backend that was idle a moment ago.
 *
 * The two differ, so that of two endpoints the busier one is never taken while the other is free. `inFlight / weight` is
 * compared, and a tie goes to the first one drawn, so that an idle cluster shares by weight. (Envoy compares
 * `(active + 1) / weight`, which always chooses the heavier of two idle ones.)
 */
import type { Random } from '../resilience/random.ts';
import { DrawingPolicy, type Pickable, type Policy, type WeightedDraw } from './policy.ts';

export function leastRequestsPolicy<M extends Pickable>(random: Random): Policy<M> {
  return new DrawingPolicy(random, drawUsable);
}

function drawUsable<M extends Pickable>(
  draw: WeightedDraw<M>,
  usable: (member: M) => boolean,
  random: Random,
): M | null {
  const first = draw.draw(random);
  const second = draw.draw(random, first);
  return lessBusy(draw.member(first), draw.member(second), usable);
}

function lessBusy<M extends Pickable>(
  first: M | null,
  second: M | null,
  usable: (member: M) => boolean,
): M | null {
  const one = first !== null && usable(first) ? first : null;
  const two = second !== null && usable(second) ? second : null;
  if (one === null || two === null) return one ?? two;
  return two.inFlight * one.weight < one.inFlight * two.weight ? two : one;
}
