// docs/coming-from-haproxy.md: its two configurations, in HAProxy and in Fairlead, before the same backends and for the same requests.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatProblems } from '../../src/config/problems.ts';
import * as certificates from '../support/certificates.ts';
import { type Asked, answerTo, backendOf, handshake, statusesOf } from '../support/compared_proxies.ts';
import { blockOf, readPage, replaceAll } from '../support/documented_blocks.ts';
import { withForeignProxy } from '../support/foreign_proxy.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { load } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const page = readPage('coming-from-haproxy.md');
const folder = mkdtempSync(join(tmpdir(), 'fairlead-combined-'));
after(() => rmSync(folder, { recursive: true }));
/** Certificate and key in one file, as HAProxy wants them. */
const combined = join(folder, 'shop.pem');
writeFileSync(combined, `${certificates.server.cert}${certificates.server.key}`, { mode: 0o600 });
const BLOG = 'blog.app.test';
const FILES = {
  '/etc/haproxy/shop.pem': combined,
  'blog.example.com': BLOG,
  '10.0.0.0/8': '127.0.0.2/32',
};

test('the Fairlead side of docs/coming-from-haproxy.md has no problem and no warning', () => {
  const { warnings, source } = load(replaceAll(blockOf(page, 'yaml'), FILES));
  assert.equal(formatProblems(warnings, source, { color: false }), '');
});

const REQUESTS: readonly Asked[] = [
  { listener: 'http', path: '/a/b?c=d' },
  { path: '/' },
  { path: '/-/ready' },
  { path: '/a%2Fb/%41?x=%20&y' },
  { path: '/', method: 'POST', body: 'hello' },
  { path: '/api/users/7?x=1' },
  { path: '/apiv2' },
  { path: '/post?id=1', host: BLOG },
  { path: '/login/form' },
  { path: '/internal' },
  { path: '/internal/x', from: '127.0.0.2' },
  { path: '/robots.txt' },
  { path: '/forged', headers: ['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'http'] },
];

test('HAProxy and Fairlead answer the same with the two configurations', needs('haproxy'), async () => {
  await using one = await startBackend(backendOf('app'));
  await using two = await startBackend(backendOf('app'));
  await using backup = await startBackend(backendOf('backup'));
  await using api = await startBackend(backendOf('api'));
  await using blog = await startBackend(backendOf('blog'));
  const here = {
    ...FILES,
    '10.0.0.1:8080': one.address,
    '10.0.0.2:8080': two.address,
    '10.0.0.3:8080': backup.address,
    '10.0.0.4:8080': api.address,
    '10.0.0.5:8080': blog.address,
  };
  const ports = { http: await closedPort(), https: await closedPort() };
  const haproxy = replaceAll(blockOf(page, 'haproxy'), {
    ...here,
    'bind :80\n': `bind 127.0.0.1:${ports.http}\n`,
    'bind :443 ': `bind 127.0.0.1:${ports.https} `,
  });
  await using proxy = await startProxy(
    replaceAll(blockOf(page, 'yaml'), {
      ...here,
      '127.0.0.1:9901': '127.0.0.1:0',
      '":80"': '127.0.0.1:0',
      '":443"': '127.0.0.1:0',
    }),
  );
  const config = () => haproxy;
  await withForeignProxy({ program: 'haproxy', config, ports: Object.values(ports) }, async () => {
    for (const asked of REQUESTS) {
      const { listener = 'https', path } = asked;
      const theirs = await answerTo({ port: ports[listener] }, asked);
      assert.deepEqual(await answerTo(proxy.target(listener), asked), theirs, `${listener} ${path}`);
    }
    const both = { HAProxy: { port: ports.https }, Fairlead: proxy.target('https') };
    for (const [name, target] of Object.entries(both)) {
      const logins = await statusesOf(target, '/login', 12);
      assert.deepEqual(logins, [...Array<number>(10).fill(200), 429, 429], name);
      assert.equal(await handshake(target, '/socket'), 101, name);
    }
    await Promise.all([one.close(), two.close()]);
    assert.equal((await answerTo(both.Fairlead, { path: '/' })).backend, 'backup');
  });
});
