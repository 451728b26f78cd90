// The Fairlead side of docs/coming-from-caddy.md and coming-from-traefik.md: valid, without a warning, and it does to requests what the
// other side says. (nginx and HAProxy run beside it: test/integration/coming_from_nginx.test.ts, coming_from_haproxy.test.ts.)
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { load as parseYaml } from 'js-yaml';
import { formatProblems } from '../../src/config/problems.ts';
import * as certificates from '../support/certificates.ts';
import { type Asked, answerTo, backendOf, HOST, handshake, statusesOf } from '../support/compared_proxies.ts';
import { blockOf, blocksOf, readPage, replaceAll } from '../support/documented_blocks.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { load } from '../support/plan_builder.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import type { Target } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const USERS = join(ROOT, 'test/support/users/users.htpasswd');
const FILES = {
  'shop.example.com': HOST,
  '/etc/ssl/shop.crt': certificates.server.certFile,
  '/etc/ssl/shop.key': certificates.server.keyFile,
  '10.0.0.0/8': '127.0.0.2/32',
};
interface Example {
  /** Sends a request and shows what of the answer matters here. */
  readonly ask: (asked: Asked) => Promise<string>;
  readonly https: Target;
}

/** Each address of the page becomes a backend that says what it is for. */
async function withExample(
  page: string,
  files: Readonly<Record<string, string>>,
  backends: Readonly<Record<string, string>>,
  use: (example: Example) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const addresses: Record<string, string> = {};
  for (const [address, name] of Object.entries(backends))
    addresses[address] = stack.use(await startBackend(backendOf(name))).address;
  const text = replaceAll(blockOf(readPage(page), 'yaml'), {
    ...FILES,
    ...files,
    ...addresses,
    '127.0.0.1:9901': '127.0.0.1:0',
    '":80"': '127.0.0.1:0',
    '":443"': '127.0.0.1:0',
  });
  const { warnings, source } = load(text);
  assert.equal(formatProblems(warnings, source, { color: false }), '');
  const proxy = stack.use(await startProxy(text));
  const [http = '', https = ''] = proxy.proxy.addresses.keys();
  const ask = async (asked: Asked) => {
    const answer = await answerTo(proxy.target(asked.listener === 'http' ? http : https), asked);
    const { status, location, backend, target } = answer;
    return [status, location, backend, target].filter(part => part != null).join(' ');
  };
  await use({ ask, https: proxy.target(https) });
}

const login = ['Authorization', `Basic ${Buffer.from('frank:demo').toString('base64')}`];

test('docs/coming-from-caddy.md', async () => {
  const files = { '/etc/fairlead/admin.htpasswd': USERS };
  const backends = { '10.0.0.1:8080': 'app', '10.0.0.2:8080': 'app', '10.0.0.4:8080': 'api' };
  await withExample('coming-from-caddy.md', files, backends, async ({ ask, https }) => {
    assert.equal(await ask({ listener: 'http', path: '/a?b' }), `308 https://${HOST}/a?b`);
    assert.equal(await ask({ path: '/a%2Fb' }), '200 app /a%2Fb');
    assert.equal(await ask({ path: '/api/users' }), '200 api /users');
    assert.equal(await ask({ path: '/internal/x' }), '403');
    assert.equal(await ask({ path: '/internal/x', from: '127.0.0.2' }), '200 app /internal/x');
    assert.equal(await ask({ path: '/admin/x' }), '401');
    assert.equal(await ask({ path: '/admin/x', headers: login }), '200 app /admin/x');
    assert.equal(await ask({ path: '/blog/x?y' }), '301 https://blog.example.com/blog/x?y');
    assert.equal(await ask({ path: '/', host: 'other.app.test' }), '404');
    assert.equal(await handshake(https, '/socket'), 101);
  });
});

test('docs/coming-from-traefik.md', async () => {
  const files = { '/etc/traefik/users': USERS };
  const app = { '10.0.0.1:8080': 'app', '10.0.0.2:8080': 'app' };
  const backends = { ...app, '10.0.0.4:8080': 'api', '10.0.0.5:8080': 'next' };
  await withExample('coming-from-traefik.md', files, backends, async ({ ask, https }) => {
    assert.equal(await ask({ listener: 'http', path: '/a?b' }), `308 https://${HOST}/a?b`);
    assert.equal(await ask({ path: '/' }), '200 app /');
    assert.equal(await ask({ path: '/api/users' }), '200 api /users');
    assert.equal(await ask({ path: '/internal/x' }), '403');
    assert.equal(await ask({ path: '/internal/x', from: '127.0.0.2' }), '200 app /internal/x');
    assert.equal(await ask({ path: '/admin' }), '401');
    assert.equal(await ask({ path: '/admin', headers: login }), '200 app /admin');
    assert.match(await ask({ path: '/checkout' }), /^200 (?:app|next) \/checkout$/);
    assert.equal(await ask({ path: '/ping' }), '200');
    assert.equal(await ask({ path: '/', host: 'other.app.test' }), '404');
    assert.equal(await handshake(https, '/socket'), 101);
    const limited = await statusesOf(https, '/api/many', 11);
    assert.deepEqual(limited, [...Array<number>(9).fill(200), 429, 429], 'one of ten was used above');
  });
});

interface Dynamic {
  readonly http: {
    readonly routers: Readonly<Record<string, { readonly service: string; readonly middlewares?: string[] }>>;
    readonly middlewares: object;
    readonly services: object;
  };
}

test('the Traefik side is YAML whose routers name what is there, and both sides have the same routes', () => {
  const page = readPage('coming-from-traefik.md');
  const [fixed, dynamic] = blocksOf(page, 'yml').map(block => parseYaml(block));
  assert.deepEqual(Object.keys((fixed as { entryPoints: object }).entryPoints), ['web', 'websecure']);
  const { routers, middlewares, services } = (dynamic as Dynamic).http;
  for (const [name, router] of Object.entries(routers)) {
    assert.ok(router.service in services, name);
    for (const middleware of router.middlewares ?? []) assert.ok(middleware in middlewares, middleware);
  }
  const { routes } = parseYaml(blockOf(page, 'yaml')) as { routes: { name: string }[] };
  assert.deepEqual(routes.map(({ name }) => name).slice(1), Object.keys(routers));
});

/** Every key and every value of a choice in the reference. */
const WORDS = new Set(
  readPage('configuration.md')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .flatMap(line => [...line.matchAll(/`([^`]+)`/g)])
    .flatMap(([, code = '']) => code.split(/[^A-Za-z0-9_-]+/)),
);

for (const from of ['nginx', 'haproxy', 'caddy', 'traefik'])
  test(`docs/coming-from-${from}.md names keys that there are`, () => {
    const rows = readPage(`coming-from-${from}.md`)
      .split('\n## What behaves differently')[0]
      ?.split('\n')
      .filter(line => line.startsWith('| ') && !line.startsWith(`| ${from} `))
      .map(line => line.replaceAll('\\|', '').split('|')[2] ?? '');
    assert.ok((rows?.length ?? 0) > 40, `${rows?.length} rows`);
    for (const row of rows ?? [])
      for (const [, code = ''] of row.matchAll(/`([^`]+)`/g)) {
        if (/^(?:fairlead|POST|GET|\/)/.test(code)) break; // commands, and paths of the admin API
        const path =
          /^[a-z]\w*(?:\.\w+)*(?=[:,]|$)/
            .exec(code)?.[0]
            .replace(/^(clusters|listeners|stores)\.\w+/, '$1') ?? '';
        const inner = [...code.matchAll(/(?<=[{,] )[a-z][A-Za-z0-9]*(?=:\s| \}|,)/g)].map(([key]) => key);
        const keys = [...path.split('.').filter(key => key !== ''), ...inner];
        for (const key of keys) assert.ok(WORDS.has(key), `${key} in ${code}`);
      }
  });
