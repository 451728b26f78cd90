import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUCKETS, bucketOf, quantile } from '../../src/observability/duration_buckets.ts';

test('every duration has a bucket, and its middle is within 10 % of it', () => {
  for (const ms of [-1, 0, 1e9, Number.MAX_SAFE_INTEGER])
    assert.ok(bucketOf(ms) >= 0 && bucketOf(ms) < BUCKETS);
  for (let ms = 0.11; ms < 40_000; ms *= 1.07) {
    const counts = new Float64Array(BUCKETS);
    counts[bucketOf(ms)] = 3;
    const middle = quantile(counts, 0.5) ?? 0;
    assert.ok(Math.abs(middle / ms - 1) < 0.1, `${middle} for ${ms}`);
  }
});

test('nothing counted has no quantile', () => {
  assert.equal(quantile(new Float64Array(BUCKETS), 0.95), null);
});
