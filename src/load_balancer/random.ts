/** Weighted random choice: it keeps no state and is fair in the long run. */
import type { Random } from '../resilience/random.ts';
import { DrawingPolicy, type Pickable, type Policy, type WeightedDraw } from './policy.ts';

export function randomPolicy<M extends Pickable>(random: Random): Policy<M> {
  return new DrawingPolicy(random, drawUsable);
}

function drawUsable<M extends Pickable>(
  draw: WeightedDraw<M>,
  usable: (member: M) => boolean,
  random: Random,
): M | null {
  const member = draw.member(draw.draw(random));
  return member !== null && usable(member) ? member : null;
}
