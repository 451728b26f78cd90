// Phase 2: which route a request takes, and what becomes of it there, with real sockets.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer, type Echo, echo } from '../support/backend_behaviours.ts';
import { value, values } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { configText } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw, type RequestOptions } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** A proxy whose routes answer by themselves, unless they forward to `app`, an echo. */
async function withRoutes(
  routes: readonly unknown[],
  use: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<void>,
  behaviour = echo(),
): Promise<void> {
  const backend = await startBackend(behaviour);
  try {
    await using proxy = await startProxy({
      ...configOf(routes),
      clusters: { app: { endpoints: [backend.address] } },
    });
    await use(proxy, backend);
  } finally {
    await backend.close();
  }
}

function configOf(routes: readonly unknown[]): Record<string, unknown> {
  return { version: 1, admin: 'off', listeners: { main: { address: '127.0.0.1:0' } }, routes };
}

/** A route that answers with its own name. */
function named(name: string, match: Record<string, unknown>): unknown {
  return { name, match, respond: { status: 200, body: name } };
}

async function routeOf(proxy: ProxyInProcess, path: string, options: RequestOptions = {}): Promise<string> {
  const got = await fetchRaw(proxy.target(), path, options);
  return got.status === 200 ? got.text : String(got.status);
}

test('hosts: exact before wildcard, the longer wildcard before the shorter, whatever case, port or final dot', () =>
  withRoutes(
    [
      named('any', {}),
      named('star', { hosts: ['*.test'] }),
      named('longer', { hosts: ['*.app.test'] }),
      named('exact', { hosts: ['www.app.test'] }),
    ],
    async proxy => {
      const of = (host: string) => routeOf(proxy, '/', { headers: ['Host', host] });
      assert.equal(await of('www.app.test'), 'exact');
      assert.equal(await of('WWW.App.Test.:8080'), 'exact');
      assert.equal(await of('a.b.app.test'), 'longer', 'any depth');
      assert.equal(await of('app.test'), 'star', 'the bare domain is not below itself');
      assert.equal(await of('elsewhere.example'), 'any');
    },
  ));

test('paths: exact before template before longer prefix, and a prefix ends at a segment', () =>
  withRoutes(
    [
      named('root', { path: { prefix: '/' } }),
      named('api', { path: { prefix: '/api' } }),
      named('users', { path: { template: '/api/users/{id}' } }),
      named('me', { path: { exact: '/api/users/me' } }),
      named('picture', { path: { regex: '/p/[0-9]+\\.png' } }),
    ],
    async proxy => {
      assert.equal(await routeOf(proxy, '/api'), 'api');
      assert.equal(await routeOf(proxy, '/api/x?y'), 'api');
      assert.equal(await routeOf(proxy, '/apiv2'), 'root');
      assert.equal(await routeOf(proxy, '/api/users/42'), 'users');
      assert.equal(await routeOf(proxy, '/api/users/me'), 'me');
      assert.equal(await routeOf(proxy, '/p/12.png'), 'picture');
      assert.equal(await routeOf(proxy, '/p/x.png'), 'root');
    },
  ));

test('methods, fields and query narrow a route; the one with more conditions is nearer', () =>
  withRoutes(
    [
      named('all', { path: { prefix: '/' } }),
      named('post', { path: { prefix: '/' }, methods: ['POST'] }),
      named('canary', { path: { prefix: '/' }, methods: ['GET'], headers: { 'x-canary': '1' } }),
      named('second', {
        path: { prefix: '/' },
        methods: ['GET'],
        headers: { 'x-canary': '1' },
        query: { v: '2' },
      }),
    ],
    async proxy => {
      assert.equal(await routeOf(proxy, '/'), 'all');
      assert.equal(await routeOf(proxy, '/', { method: 'POST', body: '' }), 'post');
      assert.equal(await routeOf(proxy, '/', { headers: ['X-Canary', '1'] }), 'canary');
      assert.equal(await routeOf(proxy, '/?v=2', { headers: ['X-Canary', '1'] }), 'second');
      assert.equal(await routeOf(proxy, '/?v=3', { headers: ['X-Canary', '1'] }), 'canary');
    },
  ));

test("no route is our 404 and says so; a backend's 404 is the backend's", () =>
  withRoutes(
    [{ name: 'app', match: { path: { prefix: '/app' } }, forward: { cluster: 'app' } }],
    async proxy => {
      const ours = await fetchRaw(proxy.target(), '/other');
      assert.equal(ours.status, 404);
      assert.equal(value(ours.headers, 'proxy-status'), 'fairlead; error=destination_not_found');
      const theirs = await fetchRaw(proxy.target(), '/app/other');
      assert.equal(theirs.status, 404);
      assert.equal(value(theirs.headers, 'proxy-status'), null);
      assert.equal(theirs.text, 'not here');
      assert.equal((await proxy.lines.next({ path: '/other' })).reason, 'no_route');
      assert.equal((await proxy.lines.next({ path: '/app/other' })).reason, null);
    },
    answer({ status: 404, body: 'not here' }),
  ));

test('a redirect keeps path, query and host where it is configured to', () =>
  withRoutes(
    [{ name: 'old', match: {}, redirect: { status: 308, to: 'https://{host}/new{path}{query}' } }],
    async proxy => {
      const got = await fetchRaw(proxy.target(), '/a%20b?c=d&e', { headers: ['Host', 'old.test'] });
      assert.equal(got.status, 308);
      assert.equal(value(got.headers, 'location'), 'https://old.test/new/a%20b?c=d&e');
    },
  ));

test('a direct answer needs no backend', () =>
  withRoutes(
    [
      {
        name: 'robots',
        match: { path: { exact: '/robots.txt' } },
        respond: { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'User-agent: *\n' },
      },
    ],
    async (proxy, backend) => {
      const got = await fetchRaw(proxy.target(), '/robots.txt');
      assert.equal(got.text, 'User-agent: *\n');
      assert.equal(value(got.headers, 'content-type'), 'text/plain');
      const head = await fetchRaw(proxy.target(), '/robots.txt', { method: 'HEAD' });
      assert.deepEqual([value(head.headers, 'content-length'), head.bytes], ['14', 0]);
      assert.equal(backend.connections.total, 0);
    },
  ));

test('rewrites and edits reach the backend and the client', () =>
  withRoutes(
    [
      {
        name: 'rewritten',
        match: { path: { prefix: '/v1' } },
        forward: { cluster: 'app' },
        rewrite: { stripPrefix: '/v1', addPrefix: '/internal', host: 'backend.local' },
        headers: {
          request: { set: { 'x-edge': 'fairlead' }, remove: ['x-secret'] },
          response: { add: { 'x-added': 'yes' }, remove: ['content-type'] },
        },
      },
    ],
    async proxy => {
      const headers = ['X-Secret', 's', 'X-Edge', 'client', 'X-Keep', 'k'];
      const got = await fetchRaw(proxy.target(), '/v1/users%2F1?a=b', { headers });
      const seen = JSON.parse(got.text) as Echo;
      assert.equal(seen.target, '/internal/users%2F1?a=b');
      assert.equal(value(seen.headers, 'host'), 'backend.local');
      assert.deepEqual(values(seen.headers, 'x-edge'), ['fairlead']);
      assert.equal(value(seen.headers, 'x-secret'), null);
      assert.equal(value(seen.headers, 'x-keep'), 'k');
      assert.equal(value(got.headers, 'x-added'), 'yes');
      assert.equal(value(got.headers, 'content-type'), null);
    },
  ));

test('a split sends each cluster its share', async () => {
  const stable = await startBackend(answer());
  const canary = await startBackend(answer());
  const split = [
    { cluster: 'stable', weight: 90 },
    { cluster: 'canary', weight: 10 },
  ];
  {
    await using proxy = await startProxy({
      ...configOf([{ name: 'all', forward: { split } }]),
      clusters: { stable: { endpoints: [stable.address] }, canary: { endpoints: [canary.address] } },
    });
    for (let count = 0; count < 400; count++) await fetchRaw(proxy.target(), '/');
  }
  // 400 draws of 10 %: 40 with a standard deviation of 6; six of them are less than once in a lifetime.
  assert.ok(canary.requests.length >= 4 && canary.requests.length <= 76, `${canary.requests.length} of 400`);
  assert.equal(stable.requests.length, 400 - canary.requests.length);
  await stable.close();
  await canary.close();
});

test('two routes that match alike are an error that names both lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tie-'));
  const file = join(folder, 'tie.yaml');
  writeFileSync(
    file,
    configText(
      configOf([named('one', { path: { prefix: '/a' } }), named('two', { path: { prefix: '/a/' } })]),
    ),
  );
  const args = [
    '--disable-warning=ExperimentalWarning',
    join(ROOT, 'src/main.ts'),
    'check',
    '--config',
    file,
  ];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(status, 78, stderr);
  assert.match(stderr, /^tie\.yaml:\d+:\d+: error: .*\btwo\b.*\bone\b.*\d/m);
});
