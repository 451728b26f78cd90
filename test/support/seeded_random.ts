/** Chance from a seed (mulberry32, Tommy Ettinger, public domain): the same seed tells the same story. */
import type { Random } from '../../src/resilience/random.ts';

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  let ids = 0;
  return {
    unit() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    hex: bytes => String(++ids).padStart(2 * bytes, '0'),
    requestId: () => `00000000-0000-7000-8000-${String(ids++).padStart(12, '0')}`,
  };
}
