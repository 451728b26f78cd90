// docs/coming-from-nginx.md: its two configurations, in nginx and in Fairlead, before the same backends and for the same requests.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblems } from '../../src/config/problems.ts';
import * as certificates from '../support/certificates.ts';
import { type Asked, answerTo, backendOf, HOST, handshake, statusesOf } from '../support/compared_proxies.ts';
import { blockOf, readPage, replaceAll } from '../support/documented_blocks.ts';
import { nginxConfig, withForeignProxy } from '../support/foreign_proxy.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { load } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const page = readPage('coming-from-nginx.md');
const FILES = {
  'shop.example.com': HOST,
  '/etc/ssl/shop.crt': certificates.server.certFile,
  '/etc/ssl/shop.key': certificates.server.keyFile,
  '/etc/nginx/admin.htpasswd': join(ROOT, 'test/support/users/users.htpasswd'),
  '10.0.0.0/8': '127.0.0.2/32',
};

test('the Fairlead side of docs/coming-from-nginx.md has no problem and no warning', () => {
  const { warnings, source } = load(replaceAll(blockOf(page, 'yaml'), FILES));
  assert.equal(formatProblems(warnings, source, { color: false }), '');
});

const LARGE = Buffer.alloc(1024 * 1024 + 1);
const REQUESTS: readonly Asked[] = [
  { listener: 'http', path: '/a/b?c=d' },
  { path: '/' },
  { path: '/a%2Fb/%41?x=%20&y' },
  { path: '/', method: 'POST', body: 'hello' },
  { path: '/', method: 'POST', body: LARGE },
  { path: '/api/', method: 'POST', body: LARGE },
  { path: '/api/users/7?x=1' },
  { path: '/apiv2' },
  { path: '/login/form' },
  { path: '/reports/17.pdf' },
  { path: '/internal' },
  { path: '/internal/x', from: '127.0.0.2' },
  { path: '//internal/x' },
  { path: '/admin' },
  { path: '/admin/x', headers: ['Authorization', `Basic ${Buffer.from('frank:demo').toString('base64')}`] },
  { path: '/robots.txt' },
  { path: '/blog/2026?page=2' },
  { path: '/forged', headers: ['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'http'] },
];

test('nginx and Fairlead answer the same with the two configurations', needs('nginx'), async () => {
  await using one = await startBackend(backendOf('app'));
  await using two = await startBackend(backendOf('app'));
  await using backup = await startBackend(backendOf('backup'));
  await using api = await startBackend(backendOf('api'));
  const here = {
    ...FILES,
    '10.0.0.1:8080': one.address,
    '10.0.0.2:8080': two.address,
    '10.0.0.3:8080': backup.address,
    '10.0.0.4:8080': api.address,
  };
  const ports = { http: await closedPort(), https: await closedPort() };
  const nginx = replaceAll(blockOf(page, 'nginx'), {
    ...here,
    'listen 80;': `listen 127.0.0.1:${ports.http};`,
    'listen 443 ssl http2;': `listen 127.0.0.1:${ports.https} ssl http2;`,
  });
  await using proxy = await startProxy(
    replaceAll(blockOf(page, 'yaml'), {
      ...here,
      '127.0.0.1:9901': '127.0.0.1:0',
      '":80"': '127.0.0.1:0',
      '":443"': '127.0.0.1:0',
    }),
  );
  const config = (folder: string) => nginxConfig(folder, nginx);
  await withForeignProxy({ program: 'nginx', config, ports: Object.values(ports) }, async () => {
    for (const asked of REQUESTS) {
      const { listener = 'https', path } = asked;
      const theirs = await answerTo({ port: ports[listener] }, asked);
      assert.deepEqual(await answerTo(proxy.target(listener), asked), theirs, `${listener} ${path}`);
    }
    const both = { nginx: { port: ports.https }, Fairlead: proxy.target('https') };
    for (const [name, target] of Object.entries(both)) {
      const logins = await statusesOf(target, '/login', 12);
      assert.deepEqual(logins, [...Array<number>(10).fill(200), 429, 429], name);
      assert.equal(await handshake(target, '/socket'), 101, name);
    }
    await Promise.all([one.close(), two.close()]);
    for (const [name, target] of Object.entries(both))
      assert.equal((await answerTo(target, { path: '/' })).backend, 'backup', name);
  });
});
