/**
 * For tests by chance. Each prints the seed that repeats it: `FUZZ_SEED=7 node --test FILE`. In the suite they make a number of
 * rounds that takes a second or two; `npm run fuzz` gives each a new seed and as long as it is told (`FUZZ_MS`, per test).
 */
import { seededRandom } from './seeded_random.ts';

const DEFAULT_SEED = 20261120;
export const FUZZ_SEED = Number(process.env.FUZZ_SEED ?? DEFAULT_SEED);
const FUZZ_MS = process.env.FUZZ_MS === undefined ? null : Number(process.env.FUZZ_MS);

export interface Chance {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  oneOf<T>(choices: readonly T[]): T;
  /** Up to `most` texts, joined. */
  some(most: number, make: () => string): string;
  /** Once in so many times. */
  once(inTimes: number): boolean;
}

export function chance(seed = FUZZ_SEED): Chance {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random.unit() * limit);
  return {
    below,
    oneOf: choices => choices[below(choices.length)] as (typeof choices)[number],
    some: (most, make) => Array.from({ length: below(most + 1) }, make).join(''),
    once: inTimes => below(inTimes) === 0,
  };
}

/** Numbers of rounds: `inSuite` of them, or as many as fit into `FUZZ_MS`, whose count is printed. */
export function* rounds(inSuite: number): Generator<number> {
  const untilMs = FUZZ_MS === null ? null : performance.now() + FUZZ_MS;
  let round = 0;
  for (; untilMs === null ? round < inSuite : performance.now() < untilMs; round++) yield round;
  if (untilMs !== null) console.log(`${round} rounds with seed ${FUZZ_SEED}`);
}
