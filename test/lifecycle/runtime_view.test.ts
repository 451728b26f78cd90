import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateWatch } from '../../src/lifecycle/certificate_watch.ts';
import type { RunningRef } from '../../src/lifecycle/running_plan.ts';
import { plainStateOf, runtimeView } from '../../src/lifecycle/runtime_view.ts';
import type { Overload } from '../../src/resilience/overload.ts';
import { fakeCluster } from '../load_balancer/fake_cluster.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

function viewOf(labels: readonly string[]) {
  const { clock, backends, pool } = fakeCluster(labels.length, { circuit: true });
  for (const [at, backend] of backends.entries()) Object.assign(backend, { label: labels[at] });
  const cluster = { name: 'app', pool, circuit: null, retryBudget: { remaining: 7 } };
  const plane = { digest: 'd1', clusters: new Map([['app', cluster]]) };
  const { runtime } = runtimeOnFakeClock(planOf(forwardTo(['127.0.0.1:1'])));
  const running = { current: { plane } } as unknown as RunningRef;
  const view = runtimeView(
    running,
    runtime,
    { certificates: [] } as unknown as CertificateWatch,
    { active: null } as unknown as Overload,
  );
  return { view, backends, clock, running };
}

test('all addresses of a name are one series: healthy is their share, connections their sum', () => {
  const { view, backends, clock } = viewOf(['app.test:80', 'app.test:80', '10.0.0.9:80']);
  backends[0]?.adminState.setDrained(true, clock.nowMs());
  backends[1]?.upstream.take();
  const [cluster] = view.clusters();
  assert.deepEqual([cluster?.cluster, cluster?.circuit, cluster?.retryBudget], ['app', 'closed', 7]);
  assert.deepEqual(
    cluster?.endpoints.map(({ endpoint, healthy, inUse }) => [endpoint, healthy, inUse]),
    [
      ['app.test:80', 0.5, 1],
      ['10.0.0.9:80', 1, 0],
    ],
  );
  assert.deepEqual(
    [cluster?.endpoints[0]?.states['drained'], cluster?.endpoints[1]?.states['drained']],
    [1, 0],
    'a state that nothing has is 0, and not absent',
  );
});

test('the word of an operator goes before that of probes', () => {
  const { backends, clock } = viewOf(['10.0.0.9:80']);
  const [backend] = backends;
  assert(backend !== undefined);
  const before = plainStateOf(backend);
  backend.adminState.setDrained(true, clock.nowMs());
  assert.notEqual(before, 'drained');
  assert.equal(plainStateOf(backend), 'drained');
});

test('a scrape after a swap tells of the plan that runs then', () => {
  const { view, running } = viewOf(['10.0.0.9:80']);
  assert.equal(view.digest(), 'd1');
  running.current = { plane: { digest: 'd2', clusters: new Map() } } as unknown as RunningRef['current'];
  assert.deepEqual([view.digest(), view.clusters()], ['d2', []]);
});
