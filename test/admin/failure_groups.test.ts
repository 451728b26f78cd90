import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupFailures } from '../../src/admin/failure_groups.ts';
import type { Decision } from '../../src/observability/decision_ring.ts';
import { attemptOf, decisionOf } from './decision.ts';

const NOW_MS = Date.parse('2026-01-01T00:01:00.000Z');
const failed = (second: number, change: Partial<Decision>) =>
  decisionOf({ status: 502, time: new Date(NOW_MS - second * 1_000).toISOString(), ...change });

test('failures of the same reason, route and cluster are one line with its count, ages and endpoints', () => {
  const at = (endpoint: string) => ({
    attempts: [attemptOf({ endpoint: 'first' }), attemptOf({ endpoint })],
  });
  const groups = groupFailures(
    [
      failed(2, { reason: 'tls_failed', cluster: 'app', ...at('b') }),
      failed(3, { reason: 'tls_failed', cluster: 'app', ...at('a') }),
      failed(9, { reason: 'tls_failed', cluster: 'app', ...at('a') }),
    ],
    NOW_MS,
  );
  assert.equal(groups.length, 1);
  const { newest, ...group } = groups[0] ?? assert.fail();
  assert.deepEqual(group, {
    reason: 'tls_failed',
    status: 502,
    route: 'api',
    cluster: 'app',
    count: 3,
    newestAgoMs: 2_000,
    oldestAgoMs: 9_000,
    endpoints: [
      { endpoint: 'a', count: 2 },
      { endpoint: 'b', count: 1 },
    ],
  });
  assert.equal(newest.length, 3);
});

test('another reason, route, cluster or status of a backend is another line, the newest first', () => {
  const groups = groupFailures(
    [
      failed(1, { status: 500 }),
      failed(2, { status: 503 }),
      failed(3, { reason: 'tls_failed' }),
      failed(4, { reason: 'tls_failed', route: 'other' }),
      failed(5, { reason: 'tls_failed', cluster: 'app' }),
      failed(6, { reason: 'tls_failed', status: 504 }),
    ],
    NOW_MS,
  );
  assert.deepEqual(
    groups.map(({ reason, status, route, cluster, count }) => [reason ?? status, route, cluster, count]),
    [
      [500, 'api', null, 1],
      [503, 'api', null, 1],
      ['tls_failed', 'api', null, 2],
      ['tls_failed', 'other', null, 1],
      ['tls_failed', 'api', 'app', 1],
    ],
  );
});

test('the page stays short: at most fifty lines, each with its eight newest failures, whatever happens', () => {
  const many = Array.from({ length: 60 }, (_, at) => failed(at, { route: `r${at}` }));
  assert.equal(groupFailures(many, NOW_MS).length, 50);
  const same = Array.from({ length: 60 }, (_, at) => failed(at, {}));
  const [group] = groupFailures(same, NOW_MS);
  assert.deepEqual([group?.count, group?.newest.length], [60, 8]);
});
