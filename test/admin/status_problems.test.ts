// What an operator must see within five seconds, in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from '../../src/admin/status_problems.ts';
import type { ClusterView, EndpointView, PageView } from '../../src/admin/status_view.ts';

const FIGURES = { perSecond: 1, failureShare: 0, retried: 0, p50Ms: 1, p95Ms: 1, p99Ms: 1 };

function endpoint(change: Partial<EndpointView> = {}): EndpointView {
  return {
    endpoint: '10.0.0.7:80',
    weight: 1,
    state: 'healthy',
    sinceMs: 90_000,
    lastError: null,
    lastErrorAgoMs: null,
    circuitWhy: null,
    inFlight: 0,
    connections: { open: 0, inUse: 0 },
    connectionsMax: 1,
    circuit: null,
    disagrees: false,
    ejections: 0,
    figures: FIGURES,
    ...change,
  };
}

function view(
  endpoints: readonly EndpointView[],
  cluster: Partial<ClusterView> = {},
  change: Partial<PageView> = {},
) {
  const one = {
    name: 'app',
    policy: 'random',
    queue: 0,
    queueMax: 1,
    serving: 1,
    retryBudget: 1,
    circuit: null,
    panic: false,
  };
  return {
    phase: 'serving',
    overload: null,
    refusals: [],
    certificates: [],
    lastReload: null,
    isFromFile: true,
    clusters: [{ ...one, endpoints, ...cluster }],
    stores: [],
    ...change,
  } as PageView;
}

function textsOf(page: PageView): string[] {
  return problemsOf(page).map(({ text }) => text);
}

test('a healthy process has no problems', () => {
  assert.deepEqual(textsOf(view([endpoint(), endpoint({ state: 'warming' })])), []);
});

test('a store that cannot be reached is a problem, with its reason and what it means for requests', () => {
  const store = {
    name: 'shared',
    address: '127.0.0.1:6379',
    state: 'lost',
    sinceMs: 5_000,
    lastError: 'connect refused',
    inFlight: 0,
    onError: 'allow' as const,
  };
  assert.deepEqual(textsOf(view([endpoint()], {}, { stores: [store] })), [
    'Store shared has been unreachable for 5 s (connect refused): its rate limits admit everything.',
  ]);
  const [denied] = textsOf(view([endpoint()], {}, { stores: [{ ...store, onError: 'deny' }] }));
  assert.match(denied ?? '', /requests with its rate limits get a 503/);
  for (const state of ['ready', 'connecting'])
    assert.deepEqual(textsOf(view([endpoint()], {}, { stores: [{ ...store, state }] })), []);
});

test('refused connections are a problem, with their number and what to change', () => {
  const refusals: PageView['refusals'] = [
    { listener: 'main', cause: 'descriptors', count: 60 },
    { listener: 'main', cause: 'clientIp', count: 1 },
    { listener: 'main', cause: 'listener', count: 2 },
    { listener: 'main', cause: 'process', count: 3 },
    { listener: 'main', cause: 'handshakes', count: 4 },
  ];
  assert.deepEqual(textsOf(view([endpoint()], {}, { refusals })), [
    'main: 60 connections were refused in the last minute: the process may open too few files (raise LimitNOFILE, ulimit -n).',
    'main: 1 connection was refused in the last minute: one client address has as many as limits.connectionsPerIp allows (a load balancer belongs in trustedProxies).',
    'main: 2 connections were refused in the last minute: limits.connections of the listener is reached.',
    'main: 3 connections were refused in the last minute: process.connections is reached.',
    'main: 4 connections were refused in the last minute: limits.handshakes of the listener is reached: more TLS handshakes have begun than can end in time.',
  ]);
});

test('a certificate that expires within three weeks is told, and one that has expired', () => {
  const DAY_MS = 86_400_000;
  const certificate = (subject: string, leftMs: number) => ({
    listener: 'main',
    subject,
    notAfter: '',
    leftMs,
  });
  const certificates = [
    certificate('a', 21 * DAY_MS),
    certificate('b', 21 * DAY_MS - 1),
    certificate('c', 0),
  ];
  assert.deepEqual(textsOf(view([endpoint()], {}, { certificates })), [
    'main: the certificate of c has expired.',
    'main: the certificate of b expires in 20 d.',
  ]);
});

test('an endpoint that is out, fails, or contradicts its probes is a problem in a sentence', () => {
  const failing = endpoint({ endpoint: 'b:1', figures: { ...FIGURES, failureShare: 0.25 } });
  const out = endpoint({ state: 'unhealthy', lastError: 'connect_refused' });
  const lying = endpoint({ endpoint: 'c:1', disagrees: true, figures: { ...FIGURES, failureShare: 1 } });
  assert.deepEqual(textsOf(view([failing, lying, out])), [
    'app 10.0.0.7:80 has been unhealthy for 1 min: connect_refused.',
    'app b:1: 25 % of its requests fail.',
    'app c:1: its health check succeeds while its requests fail.',
  ]);
});

test('problems that affect more people come first', () => {
  const lastReload = {
    at: '',
    trigger: 'watch',
    result: { kind: 'rejected', problems: ['fairlead.yaml:1:1: error: no'] },
  };
  const all = textsOf(
    view(
      [endpoint({ state: 'ejected' })],
      { serving: 0, queue: 3, circuit: 'open', circuitWhy: 'half of 20 requests failed', panic: true },
      { phase: 'lame_duck', overload: 'heap', lastReload },
    ),
  );
  assert.equal(all[4], 'app: the circuit breaker of the cluster is open: half of 20 requests failed.');
  assert.deepEqual(
    all.filter(text => /undefined|null|NaN/.test(text)),
    [],
  );
  assert.deepEqual(
    all.map(text => text.split(/[ :]/).slice(0, 3).join(' ')),
    [
      'The process is',
      'Requests are refused',
      'app  no',
      'app is below',
      'app  the',
      'app  3',
      'app 10.0.0.7 80',
      'The last reload',
    ],
  );
});

test('a problem says what it is about, how bad it is, which key to change and where the page tells more', () => {
  const refusals: PageView['refusals'] = [{ listener: 'main', cause: 'clientIp', count: 1 }];
  const drained = endpoint({ state: 'drained' });
  assert.deepEqual(
    problemsOf(view([drained], { queue: 2 }, { refusals, overload: 'heap', isFromFile: false })).map(
      ({ severity, subject, key, anchor }) => [severity, subject, key, anchor],
    ),
    [
      ['error', 'process', 'process.overload', null],
      ['warning', 'listener main', 'listeners.main.limits.connectionsPerIp', '#listener-main'],
      ['warning', 'cluster app', 'clusters.app.pool.connections', '#cluster-app'],
      ['warning', 'reload', null, null],
      ['note', 'cluster app', null, '#cluster-app'],
    ],
  );
});

test('an open circuit, a name without an address, a drain and a rollback are problems with their facts', () => {
  const open = endpoint({
    endpoint: 'a:1',
    circuit: 'open',
    circuitWhy: '5 of 5 requests failed (for 3.0 s more)',
  });
  const lost = endpoint({
    endpoint: 'nowhere:80',
    state: 'unresolved',
    lastError: 'the name does not resolve: ENOTFOUND',
  });
  const drained = endpoint({ endpoint: 'b:1', state: 'drained', lastError: 'of yesterday' });
  assert.deepEqual(textsOf(view([open, lost, drained], {}, { isFromFile: false })), [
    'app nowhere:80: the name does not resolve: ENOTFOUND.',
    'app a:1: its circuit breaker is open: 5 of 5 requests failed (for 3.0 s more).',
    'The running plan came from a rollback; the next reload or restart would bring back the plan in the file.',
    'app b:1 was drained by an operator 1 min ago.',
  ]);
});
