import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainDecision, listDecisions } from '../../src/admin/decision_view.ts';
import type { DataPlane } from '../../src/http/data_plane.ts';
import type { Decision, DecisionRing } from '../../src/observability/decision_ring.ts';
import { forwardTo, load } from '../support/plan_builder.ts';

const { plan, origins } = load(forwardTo(['127.0.0.1:1']));
const PLANE = { clusters: new Map() } as unknown as DataPlane;

function ringOf(change: Partial<Decision> = {}, head: unknown = null) {
  const asked: unknown[] = [];
  const decision = {
    id: 'r1',
    listener: 'main',
    route: 'all',
    cluster: 'app',
    plan: plan.digest,
    status: 200,
    reason: null,
    attempts: [],
    client: { ip: '192.0.2.1', peer: '192.0.2.1', trusted: false },
    ...change,
  };
  const ring = {
    find: (id: string) => (id === 'r1' ? { decision, head } : null),
    list: (filter: unknown, limit: number) => {
      asked.push([filter, limit]);
      return [decision];
    },
  };
  return { ring: ring as unknown as DecisionRing, asked };
}

test('a list has fifty records, or as many as are asked for up to two hundred, whatever is written as the number', () => {
  const { ring, asked } = ringOf();
  for (const limit of [undefined, '7', '5000', '0', '-1', '1.5', 'all', ['1', '2']])
    listDecisions(ring, { limit });
  assert.deepEqual(
    asked.map(call => (call as [unknown, number])[1]),
    [50, 7, 200, 50, 50, 50, 50, 50],
  );
});

test('a list is filtered by what is a text, and by nothing that came twice', () => {
  const { ring, asked } = ringOf();
  listDecisions(ring, { reason: 'no_route', route: ['a', 'b'], cluster: 'app', other: 'x' });
  assert.deepEqual(asked, [[{ reason: 'no_route', cluster: 'app' }, 50]]);
});

test('a record whose plan is gone says nothing of limits and nearer routes, instead of what holds today', () => {
  const known = () => ({ plan, origins });
  const then = explainDecision(ringOf().ring, 'r1', PLANE, known, 0);
  assert.equal(
    then?.limits.some(({ name }) => name === 'responseHeadMs'),
    true,
  );
  assert.equal(then?.nearer, null, 'the head was not kept');
  const gone = explainDecision(ringOf().ring, 'r1', PLANE, () => null, 0);
  assert.deepEqual([gone?.limits, gone?.settings, gone?.hints, gone?.nearer], [[], [], [], null]);
  assert.equal(explainDecision(ringOf().ring, 'r2', PLANE, known, 0), null);
});

test('a request that no route matched has the limits of its listener and none of a route', () => {
  const explained = explainDecision(
    ringOf({ route: null, cluster: null }).ring,
    'r1',
    PLANE,
    () => ({ plan, origins }),
    0,
  );
  const names = explained?.limits.map(({ name }) => name) ?? [];
  assert.deepEqual([names.includes('headMs'), names.includes('responseHeadMs')], [true, false]);
});

test('it is told who has named the client, and that a trusted proxy may have named none', () => {
  const DIRECT = {
    ip: '192.0.2.1',
    peer: '192.0.2.1',
    connection: '192.0.2.1',
    source: 'connection',
  } as const;
  const from = (client: Decision['client']) =>
    explainDecision(ringOf({ client }).ring, 'r1', PLANE, () => null, 0)?.clientFrom;
  assert.match(from({ ...DIRECT, trusted: false }) ?? '', /not a trusted proxy/);
  assert.match(from({ ...DIRECT, trusted: true }) ?? '', /named no other client/);
  assert.equal(
    from({ ...DIRECT, connection: '10.0.0.1', peer: '10.0.0.1', trusted: true, source: 'X-Forwarded-For' }),
    'X-Forwarded-For, from the trusted proxy 10.0.0.1',
  );
});

test('a gRPC call that went to a cluster of HTTP/1.1 has a hint with the line, if its head was kept', () => {
  const headers = ['content-type', 'application/grpc'];
  const head = { method: 'POST', matchHost: 'a', matchPath: '/', query: '', headers, authority: 'a' };
  const known = () => ({ plan, origins });
  const explain = (kept: unknown, change = {}) =>
    explainDecision(ringOf(change, kept).ring, 'r1', PLANE, known, 0);
  assert.match(explain(head)?.hints[0] ?? '', /set protocol: h2c on cluster app \(clusters\.app\.protocol: /);
  assert.deepEqual(explain(null)?.hints, []);
  assert.deepEqual(explain(head, { cluster: null })?.hints, [], 'it went nowhere');
});

test('a record has the rewrites and headers of its route', () => {
  const edited = load(forwardTo(['127.0.0.1:1'], { route: { rewrite: { addPrefix: '/x' } } }));
  const decision = { plan: edited.plan.digest };
  const found = explainDecision(ringOf(decision).ring, 'r1', PLANE, () => edited, 0);
  assert.deepEqual(
    found?.settings.map(({ key, text }) => [key, text]),
    [['routes.all.rewrite.addPrefix', '/x']],
  );
});

test('a request without a route knows the hosts there are, if its head and plan are kept; any other does not', () => {
  const head = {
    method: 'GET',
    matchHost: 'a.test',
    matchPath: '/x',
    query: '',
    headers: [],
    authority: 'a',
  };
  const hosts = load(forwardTo(['127.0.0.1:1'], { route: { match: { hosts: ['b.test'] } } }));
  const explain = (kept: unknown, reason: Decision['reason']) => {
    const change = {
      plan: hosts.plan.digest,
      route: null,
      cluster: null,
      reason,
      failure: null,
      timeout: null,
      retryRefused: null,
    };
    return explainDecision(ringOf(change, kept).ring, 'r1', PLANE, () => hosts, 0)?.elsewhere;
  };
  assert.deepEqual(explain(head, 'no_route')?.hosts, ['b.test']);
  assert.equal(explain(null, 'no_route'), null);
  assert.equal(explain(head, 'access_denied'), null);
});
