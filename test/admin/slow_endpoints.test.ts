import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSlow } from '../../src/admin/slow_endpoints.ts';
import type { LatencySummary } from '../../src/observability/latency_history.ts';

const one = (p95Ms: number | null, usualMs: number | null = null, requests = 50): LatencySummary => ({
  requests,
  p95Ms,
  usualMs,
});

test('an endpoint is slow against the median of the others', () => {
  assert.deepEqual(findSlow([one(20), one(900), one(30), one(40)]), [
    null,
    { p95Ms: 900, expectedMs: 30, against: 'siblings' },
    null,
    null,
  ]);
  assert.deepEqual(findSlow([one(20), one(900)])[1], { p95Ms: 900, expectedMs: 20, against: 'siblings' });
  assert.deepEqual(
    findSlow([one(300), one(300), one(100)]).map(slow => slow?.against ?? null),
    [null, null, null],
    'one fast endpoint does not make the others slow',
  );
});

test('endpoints that have all become slow are slow against their own last hour', () => {
  assert.deepEqual(
    findSlow([one(900, 50), one(800, 50)]).map(slow => slow?.against ?? null),
    ['history', 'history'],
  );
  assert.deepEqual(findSlow([one(900, 50)]), [{ p95Ms: 900, expectedMs: 50, against: 'history' }]);
});

test('the only endpoint of a process that has just started is never slow, nor is one with few requests', () => {
  assert.deepEqual(findSlow([one(5_000)]), [null]);
  assert.deepEqual(findSlow([one(5_000, 10, 19), one(10)]), [null, null]);
  assert.deepEqual(findSlow([one(5_000), one(10, null, 19)]), [null, null], 'a sibling that nobody uses');
  assert.deepEqual(findSlow([one(null), one(10)]), [null, null]);
  assert.deepEqual(findSlow([]), []);
});
