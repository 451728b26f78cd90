import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanChange } from '../../src/config/diff.ts';
import { assembleAtOnce } from '../../src/lifecycle/assemble.ts';
import { touchedChanges } from '../../src/lifecycle/touched_traffic.ts';
import { attemptRecord } from '../observability/records.ts';
import { load } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

const CONFIG = {
  version: 1,
  admin: 'off',
  listeners: { main: { address: '127.0.0.1:0' } },
  routes: [
    { name: 'a', match: { path: { prefix: '/a' } }, forward: { cluster: 'app' } },
    { name: 'b', match: { path: { prefix: '/b' } }, respond: { status: 204 } },
  ],
  clusters: { app: { endpoints: ['127.0.0.1:1', '127.0.0.1:2'] } },
};

function planeWithTraffic() {
  const { plan, origins } = load(CONFIG);
  const { runtime, clock } = runtimeOnFakeClock(plan);
  const plane = assembleAtOnce(plan, origins, runtime);
  const routes = plane.listeners.get('main')?.router.values ?? [];
  const nowMs = clock.nowMs();
  for (const { settings, handles } of routes)
    for (let at = 0; at < (settings.name === 'a' ? 60 : 600); at++) handles.stats.record(1, false, nowMs);
  const cluster = plane.clusters.get('app')?.handles;
  for (const endpoint of ['127.0.0.1:1', '127.0.0.1:1', '127.0.0.1:2'])
    for (let at = 0; at < 60; at++)
      cluster?.attemptFinished(attemptRecord({ endpoint, startedAtMs: nowMs, endedAtMs: nowMs }));
  return { plane, nowMs };
}

function perSecond(path: string): number | null | undefined {
  const { plane, nowMs } = planeWithTraffic();
  const change: PlanChange = { path, change: 'changed', class: 'live', before: 1, after: 2 };
  return touchedChanges([change], plane, nowMs).first[0]?.perSecond;
}

test('a change tells how many requests a second it touches, of the last minute', () => {
  assert.equal(perSecond('routes.a.responseHeadMs'), 1);
  assert.equal(perSecond('routes.b'), 10);
  assert.equal(perSecond('listeners.main.limits.requestMs'), 11);
  assert.equal(perSecond('clusters.app.pool.connectionsMax'), 3);
  assert.equal(perSecond('clusters.app.endpoints.127.0.0.1:1'), 2);
  assert.equal(perSecond('clusters.new'), 0, 'nothing goes there yet');
  assert.equal(perSecond('process.drain.timeoutMs'), null);
});

test('of many changes the first twenty are told, and of a long value only that it has changed', () => {
  const { plane, nowMs } = planeWithTraffic();
  const many = Array.from(
    { length: 30 },
    (_, at): PlanChange => ({
      path: `routes.r${at}`,
      change: 'added',
      class: 'live',
      after: 'x'.repeat(at < 1 ? 5_000 : 5),
    }),
  );
  const { total, first } = touchedChanges(many, plane, nowMs);
  assert.deepEqual([total, first.length], [30, 20]);
  assert.deepEqual(['after' in (first[0] ?? {}), first[1]?.after], [false, 'xxxxx']);
});
