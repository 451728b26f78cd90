// What a configuration says has its effect, or is refused with the reason.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigText } from '../../src/config/loader.ts';
import { maskSecrets } from '../../src/config/shown_plan.ts';
import { answer } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { configText, forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

function problemsOf(config: Record<string, unknown>): string[] {
  const result = loadConfigText(configText(config), 'test.yaml', {});
  return result.kind === 'invalid' ? result.problems.map(({ message }) => message) : [];
}

test('an endpoint is written in one way only', () => {
  for (const host of [
    '010.0.0.1',
    '127.1',
    '0x7f.1',
    '999.1.1.1',
    'host..x',
    'exa$mple',
    '10.0.0.300',
    '10.0.0',
    '*.x',
  ])
    assert.match(
      problemsOf(forwardTo([`${host}:80`]))[0] ?? 'none',
      /is not an IPv4|two dots in a row|cannot be part|a variable is written|stands for no host/,
      host,
    );
  for (const host of ['10.0.0.1', 'localhost', 'a_b.example', 'backend-1', 'x.example.', '[::1]'])
    assert.deepEqual(problemsOf(forwardTo([`${host}:80`])), [], host);
});

test('what a probe cannot send is refused when the file is read', () => {
  const active = (settings: Record<string, unknown>) =>
    problemsOf(forwardTo(['127.0.0.1:1'], { cluster: { health: { active: settings } } }));
  assert.match(active({ path: '/é' })[0] ?? '', /write \/%C3%A9/);
  assert.match(active({ path: '/a b' })[0] ?? '', /write \/a%20b/);
  assert.match(active({ path: '/', host: 'a b' })[0] ?? '', /is not a host/);
  assert.match(
    active({ path: '/', headers: { expect: '100-continue' } })[0] ?? '',
    /never reaches a backend/,
  );
  assert.deepEqual(active({ path: '/v1/health?standbyok=true' }), []);
});

test('header edits that cannot have an effect are refused with the reason', () => {
  const set = (name: string) =>
    problemsOf(
      forwardTo(['127.0.0.1:1'], { route: { headers: { request: { set: { [name]: 'x' } } } } }),
    )[0] ?? '';
  assert.match(set('Expect'), /handled by the proxy/);
  assert.match(set('traceparent'), /tracing\.propagate/);
  assert.match(set('X-Request-Deadline-Ms'), /set by the proxy/);
  assert.equal(set('x-anything'), '');
});

test('a status that is never repeated is refused in retries.on', () => {
  const on = (status: string) =>
    problemsOf(forwardTo(['127.0.0.1:1'], { route: { retries: { on: [status] } } }));
  assert.match(on('429')[0] ?? '', /429 means that the request is at fault/);
  assert.deepEqual(on('503'), []);
});

test('the advice to quote keeps what was written', () => {
  const text = configText(
    forwardTo(['127.0.0.1:1'], { route: { headers: { response: { set: { 'x-v': 'V' } } } } }),
  );
  const result = loadConfigText(text.replace('"V"', '1.10'), 'test.yaml', {});
  assert.match(result.kind === 'invalid' ? (result.problems[0]?.message ?? '') : '', /quote it: "1\.10"$/);
});

test('a probe of a Unix socket asks for localhost, with the query of its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-socket-'));
  await using backend = await startBackend(answer(), { path: join(folder, 's') });
  await using _proxy = await startProxy(
    forwardTo([backend.address], { cluster: { health: { active: { path: '/health?deep=1' } } } }),
  );
  await backend.requestCount(1);
  const [probe] = backend.requests;
  assert.deepEqual([probe?.target, value(probe?.headers ?? [], 'host')], ['/health?deep=1', 'localhost']);
  rmSync(folder, { recursive: true });
});

test('letters in addPrefix and replacePath go out as UTF-8, percent-encoded', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      route: { rewrite: { addPrefix: '/é' } },
      routes: [
        {
          name: 'b',
          match: { path: { prefix: '/b' } },
          forward: { cluster: 'app' },
          rewrite: { replacePath: '/例' },
        },
      ],
    }),
  );
  assert.deepEqual(
    [(await fetchRaw(proxy.target(), '/a')).status, (await fetchRaw(proxy.target(), '/b')).status],
    [200, 200],
  );
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    ['/%C3%A9/a', '/%E4%BE%8B'],
  );
});

test('headers.response has its effect on redirects and direct responses', async () => {
  const headers = { response: { set: { 'x-edge': 'yes' }, remove: ['cache-control'] } };
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], {
      routes: [
        {
          name: 'moved',
          match: { path: { prefix: '/old' } },
          redirect: { to: 'https://a.test{path}' },
          headers,
        },
        {
          name: 'direct',
          match: { path: { prefix: '/direct' } },
          respond: { status: 200, headers: { 'cache-control': 'no-store' } },
          headers,
        },
      ],
    }),
  );
  const moved = await fetchRaw(proxy.target(), '/old');
  assert.deepEqual(
    [moved.status, value(moved.headers, 'x-edge'), value(moved.headers, 'location')],
    [308, 'yes', 'https://a.test/old'],
  );
  const direct = await fetchRaw(proxy.target(), '/direct');
  assert.deepEqual([value(direct.headers, 'x-edge'), value(direct.headers, 'cache-control')], ['yes', null]);
});

test('a guarded regex route is not passed by with a long path, nor a guarded prefix with slashes or parameters', async () => {
  await using backend = await startBackend(answer({ body: 'open' }));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { paths: { slashes: 'fold', semicolons: 'fold' }, limits: { headBytes: '32KiB' } },
      routes: [
        { name: 'regex', match: { path: { regex: '/admin.*' } }, respond: { status: 403 } },
        { name: 'prefix', match: { path: { prefix: '/private' } }, respond: { status: 403 } },
      ],
    }),
  );
  for (const path of [`/admin${'/'.repeat(4_200)}`, '//private', '/private;x=1/y', '/;/private'])
    assert.equal((await fetchRaw(proxy.target(), path)).status, 403, path.slice(0, 20));
  assert.equal((await fetchRaw(proxy.target(), '//open;x')).text, 'open');
  assert.equal(backend.requests.at(-1)?.target, '//open;x', 'the backend gets what came');
});

test('two hosts in one Host field are refused', async () => {
  await using proxy = await startProxy(forwardTo(['127.0.0.1:1']));
  using client = await connectRaw(proxy.target());
  await client.send('GET / HTTP/1.1\r\nHost: a.test,b.test\r\n\r\n');
  assert.equal((await client.answer()).status, 400);
});

test('a value of the environment is not shown, whatever its field is called', async () => {
  const env = { EDGE_KEY: 'do-not-show-this', PORT: '8080' };
  const text = configText(
    forwardTo(['127.0.0.1:1'], {
      route: { headers: { request: { set: { 'x-edge': `key $\{EDGE_KEY}` } } } },
    }),
  );
  const result = loadConfigText(text, 'test.yaml', env);
  assert.ok(result.kind === 'loaded');
  assert.deepEqual(result.secrets, ['do-not-show-this']);
  assert.match(JSON.stringify(maskSecrets(result.plan)), /do-not-show-this/, 'its name does not tell');
  process.env['FAIRLEAD_TEST_KEY'] = 'do-not-show-this';
  await using backend = await startBackend(answer());
  await using proxy = await startProxy({
    ...forwardTo([backend.address], {
      route: { headers: { request: { set: { 'x-edge': `key $\{FAIRLEAD_TEST_KEY}` } } } },
    }),
    admin: { address: '127.0.0.1:0' },
  });
  await fetchRaw(proxy.target(), '/');
  assert.equal(value(backend.requests[0]?.headers ?? [], 'x-edge'), 'key do-not-show-this');
  for (const path of ['/plan', `/explain?url=${encodeURIComponent('http://a.test/')}`]) {
    const shown = await fetchRaw(proxy.admin(), path, { headers: ['Host', 'localhost'] });
    assert.match(shown.text, /key \*\*\*/, path);
    assert.doesNotMatch(shown.text, /do-not-show/, path);
  }
});
