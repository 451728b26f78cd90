import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../support/proxy_under_test.ts';
import { loadedFrom } from '../config_text.ts';

const routeFrom = (text: string) => {
  const [route] = loadedFrom({ routes: `[{ name: all, ${text} }]`, top: '' }).plan.routes;
  assert(route !== undefined);
  return route;
};
const forward = 'forward: { cluster: app }';

/** The minimum rates, and the grace of 30 s that they have where bodyIdle is off too. */
const RATES = { uploadBytesPerSecondMin: 240, downloadBytesPerSecondMin: 240, rateGraceMs: 30_000 };

test('a route with nothing but an action has every default', () => {
  assert.deepEqual(routeFrom(forward), {
    name: 'all',
    match: { hosts: [], path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] },
    action: { kind: 'forward', targets: [{ cluster: 'app', weight: 1 }] },
    rewrite: { replacePath: null, stripPrefix: null, regex: null, addPrefix: null, host: null },
    headers: { request: { remove: [], set: [], add: [] }, response: { remove: [], set: [], add: [] } },
    listeners: { main: { requestMs: 60_000, bodyIdleMs: 30_000, bodyBytesMax: 104_857_600, ...RATES } },
    responseHeadMs: 30_000,
    responseIdleMs: 60_000,
    tunnelIdleMs: 600_000,
    retries: {
      attemptsMax: 2,
      onConnect: true,
      onReset: true,
      onStatuses: [],
      perTryMs: null,
      backoff: { baseMs: 25, maxMs: 250 },
      replayBytesMax: 65_536,
    },
    rateLimits: [],
    access: { allow: [], deny: [] },
    maintenance: null,
    basicAuth: null,
  });
});

test('a match is normalised as requests are', () => {
  const { match } = routeFrom(
    `${forward}, match: { hosts: [A.Example, "*.B.example"], path: { prefix: "/%61/é/" }, methods: [GET], headers: { X-A: "1", x-b: { regex: "a+" }, x-c: { present: true }, x-d: { absent: true } }, query: { Q: "" } }`,
  );
  assert.deepEqual(match, {
    hosts: ['a.example', '*.b.example'],
    path: { kind: 'prefix', value: '/a/%C3%A9' },
    methods: ['GET'],
    headers: [
      { name: 'x-a', test: { kind: 'exact', value: '1' } },
      { name: 'x-b', test: { kind: 'regex', value: 'a+' } },
      { name: 'x-c', test: { kind: 'present' } },
      { name: 'x-d', test: { kind: 'absent' } },
    ],
    query: [{ name: 'Q', test: { kind: 'exact', value: '' } }],
  });
});

test('each kind of path keeps its kind', () => {
  assert.deepEqual(routeFrom(`${forward}, match: { path: { exact: /a/ } }`).match.path, {
    kind: 'exact',
    value: '/a/',
  });
  assert.deepEqual(routeFrom(`${forward}, match: { path: { template: "/a/{id}/**" } }`).match.path, {
    kind: 'template',
    value: '/a/{id}/**',
  });
  assert.deepEqual(routeFrom(`${forward}, match: { path: { regex: "/a/[0-9]+" } }`).match.path, {
    kind: 'regex',
    value: '/a/[0-9]+',
  });
  assert.deepEqual(routeFrom(`${forward}, match: { path: { prefix: /a/ } }`).match.path, {
    kind: 'prefix',
    value: '/a',
  });
});

test('actions are complete', () => {
  const clusterless = (text: string) =>
    loadedFrom({ routes: `[{ name: all, ${text} }]`, clusters: '{}' }).plan.routes[0]?.action;
  assert.deepEqual(clusterless('redirect: { to: "/x{query}" }'), {
    kind: 'redirect',
    status: 308,
    to: '/x{query}',
  });
  assert.deepEqual(clusterless('redirect: { to: /x, status: 302 }'), {
    kind: 'redirect',
    status: 302,
    to: '/x',
  });
  assert.deepEqual(clusterless('respond: { status: 204 }'), {
    kind: 'respond',
    status: 204,
    headers: [],
    body: '',
  });
  assert.deepEqual(clusterless('respond: { status: 200, headers: { X-A: b }, body: c }'), {
    kind: 'respond',
    status: 200,
    headers: [['X-A', 'b']],
    body: 'c',
  });
  assert.deepEqual(
    routeFrom('forward: { split: [{ cluster: app, weight: 9 }, { cluster: app, weight: 0 }] }').action,
    {
      kind: 'forward',
      targets: [
        { cluster: 'app', weight: 9 },
        { cluster: 'app', weight: 0 },
      ],
    },
  );
});

test('a route has its own limit, else that of each listener', () => {
  const listeners =
    '{ a: { address: 127.0.0.1:1, limits: { bodyBytes: 1KiB }, timeouts: { request: 40s } }, b: { address: 127.0.0.1:2, limits: { bodyBytes: off }, timeouts: { bodyIdle: off } } }';
  const limits = (text: string) =>
    loadedFrom({ listeners, routes: `[{ name: all, forward: { cluster: app } ${text} }]` }).plan.routes[0]
      ?.listeners;
  assert.deepEqual(limits(''), {
    a: { requestMs: 40_000, bodyIdleMs: 30_000, bodyBytesMax: 1_024, ...RATES },
    b: { requestMs: 60_000, bodyIdleMs: null, bodyBytesMax: null, ...RATES },
  });
  assert.deepEqual(limits(', listeners: [b, a, a], limits: { bodyBytes: 5B }, timeouts: { request: off }'), {
    a: { requestMs: null, bodyIdleMs: 30_000, bodyBytesMax: 5, ...RATES },
    b: { requestMs: null, bodyIdleMs: null, bodyBytesMax: 5, ...RATES },
  });
  const faster = limits(', limits: { minUploadRate: 1KiB/s, minDownloadRate: off }')?.a;
  assert.deepEqual([faster?.uploadBytesPerSecondMin, faster?.downloadBytesPerSecondMin], [1_024, null]);
  assert.deepEqual(limits(', limits: { bodyBytes: off }')?.a?.bodyBytesMax, null, 'a route may lift a limit');
});

test('exactly what is listed is retried', () => {
  const { retries } = routeFrom(`${forward}, retries: { attempts: 0, on: ["503", 502, reset, 503] }`);
  assert.deepEqual(
    [retries.attemptsMax, retries.onConnect, retries.onReset, retries.onStatuses],
    [0, false, true, [502, 503]],
  );
});

test('rate limits have a name for metrics, and a burst', () => {
  const { rateLimits } = routeFrom(
    `${forward}, rateLimits: [{ key: clientIp, rate: 100/s }, { key: route, rate: 5/m, burst: 7, store: local }, { key: "header:X-Key", rate: 1/h, mode: shadow, headers: draft }]`,
  );
  const off = { store: null, headers: 'off' };
  assert.deepEqual(rateLimits, [
    {
      name: 'all/0',
      key: { kind: 'clientIp' },
      count: 100,
      periodMs: 1_000,
      burst: 1,
      mode: 'enforce',
      ...off,
    },
    { name: 'all/1', key: { kind: 'route' }, count: 5, periodMs: 60_000, burst: 7, mode: 'enforce', ...off },
    {
      name: 'all/2',
      key: { kind: 'header', name: 'x-key' },
      count: 1,
      periodMs: 3_600_000,
      burst: 1,
      mode: 'shadow',
      store: null,
      headers: 'draft',
    },
  ]);
});

test('edits keep the case and order of names that are set, and know those that are removed in any case', () => {
  const { headers } = routeFrom(
    `${forward}, headers: { request: { set: { X-B: "1", X-A: "2" }, remove: [X-C] }, response: { add: { Y: "3" } } }`,
  );
  assert.deepEqual(headers.request, {
    remove: ['x-c'],
    set: [
      ['X-B', '1'],
      ['X-A', '2'],
    ],
    add: [],
  });
  assert.deepEqual(headers.response, { remove: [], set: [], add: [['Y', '3']] });
});

test('the users of a route are those of its file, and what is wrong there is told with its line', () => {
  const file = join(ROOT, 'test/support/users/users.htpasswd');
  const { basicAuth } = routeFrom(`${forward}, basicAuth: { file: ${file} }`);
  assert.deepEqual(
    [basicAuth?.realm, basicAuth?.forwardAuthorization, basicAuth?.users.map(({ name }) => name)],
    ['Restricted', false, ['alice', 'carol', 'dave', 'eve', 'frank']],
  );
});
