import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, ms, percent, percentiles, rate, time } from '../../src/admin/status_format.ts';

/** Of a summary, what stands elsewhere. */
const REST = { requests: 1, perSecond: 0, failureShare: 0, retried: 0 };

test('a duration is shown in its largest unit, and never rounded up', () => {
  const lengths = [0, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 200_000_000];
  assert.deepEqual(lengths.map(duration), ['0 s', '59 s', '1 min', '59 min', '1 h', '23 h', '1 d', '2 d']);
});

test('response times keep their significant digits, and an unknown one shows as unknown', () => {
  assert.deepEqual([null, 9.94, 10.4].map(ms), ['–', '9.9 ms', '10 ms']);
  assert.equal(percentiles({ ...REST, p50Ms: 1.25, p95Ms: 12.6, p99Ms: 200 }), '1.3 / 13 / 200 ms');
  assert.equal(percentiles({ ...REST, p50Ms: null, p95Ms: null, p99Ms: null }), '– / – / –');
});

test('a few failures among very many requests are not shown as none', () => {
  assert.deepEqual([0, 0.0001, 0.001, 0.0999, 0.1, 1].map(percent), [
    '0 %',
    '< 0.1 %',
    '0.1 %',
    '10.0 %',
    '10 %',
    '100 %',
  ]);
});

test('rates below ten have a digit after the point; a time of day says that it is UTC', () => {
  assert.deepEqual([0, 0.25, 9.9, 10, 1_234.5].map(rate), ['0.0', '0.3', '9.9', '10', '1235']);
  assert.equal(time('2026-11-29T09:02:03.456Z'), '09:02:03 UTC');
});
