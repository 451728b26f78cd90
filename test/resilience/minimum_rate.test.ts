// Who is slower than the minimum for longer than the grace is too slow, and nobody else is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinimumRate } from '../../src/resilience/minimum_rate.ts';

const GRACE_MS = 10_000;

/** The second in which it was too slow; null: it was not, in `seconds`. */
function tooSlowAfter(
  seconds: number,
  bytesAt: (second: number) => number,
  isWaitedFor: (second: number) => boolean = () => true,
): number | null {
  const rate = new MinimumRate(100, GRACE_MS, 0, 0);
  for (let second = 1; second <= seconds; second++)
    if (rate.isTooSlow(second * 1_000, isWaitedFor(second), bytesAt(second))) return second;
  return null;
}

test('nothing at all is too slow after the grace, and one byte now and then hardly later', () => {
  assert.equal(
    tooSlowAfter(20, () => 0),
    11,
  );
  assert.equal(
    tooSlowAfter(60, second => Math.floor(second / 9)),
    11,
  );
});

test('exactly the minimum is fast enough for ever, a little less is not', () => {
  assert.equal(
    tooSlowAfter(10_000, second => 100 * second),
    null,
  );
  assert.equal(
    tooSlowAfter(10_000, second => 90 * second),
    101,
  );
});

test('a pause within the grace costs nothing when its bytes come after it', () => {
  assert.equal(
    tooSlowAfter(1_000, second => 1_000 * Math.floor(second / 10)),
    null,
  );
});

test('a fast beginning buys no slow rest', () => {
  assert.equal(
    tooSlowAfter(60, second => (second < 5 ? 1_000_000 * second : 4_000_000 + second)),
    15,
  );
});

test('time in which somebody else was waited for does not count', () => {
  assert.equal(
    tooSlowAfter(
      1_000,
      () => 0,
      second => second > 500,
    ),
    511,
  );
});

test('a process that stood still blames nobody for it', () => {
  const rate = new MinimumRate(100, GRACE_MS, 0, 0);
  assert.equal(rate.isTooSlow(3_600_000, true, 0), false);
});
