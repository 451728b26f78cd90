// What a change would do, and what it did: asked of a running proxy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFile } from '../cli/config_file.ts';
import { runCommand } from '../cli/run_command.ts';
import { answer } from '../support/backend_behaviours.ts';
import { type Config, forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };

/** The same with a second route, for requests that the first one serves now. */
function withMaintenance(config: Config): Config {
  const routes = (config as { routes: readonly unknown[] }).routes;
  const maintenance = { name: 'closed', match: { path: { prefix: '/shop' } }, respond: { status: 503 } };
  return Object.assign({}, config, { routes: [...routes, maintenance] });
}

test('recent requests that another file would send elsewhere are listed, without applying it', async () => {
  await using backend = await startBackend(answer({ status: 500 }));
  const config = forwardTo([backend.address], ADMIN);
  await using proxy = await startProxy(config);
  for (const path of ['/', '/shop/cart', '/shop/pay']) await fetchRaw(proxy.target(), path);
  const admin = `127.0.0.1:${proxy.admin().port}`;
  const check = (file: string, ...more: string[]) =>
    runCommand(['check', '--against-running', '--admin', admin, '--config', file, ...more]);

  const next = await check(configFile('next.yaml', withMaintenance(config)));
  assert.equal(next.code, 1);
  assert.match(
    next.out,
    /^2 of 3 recent requests would go elsewhere\n {2}2 x {2}route all \(app\) -> route closed \(respond 503\)\n/,
  );
  assert.match(next.out, /GET \S+\/shop\/pay\n/);
  const same = await check(proxy.configFile);
  assert.deepEqual([same.code, same.out], [0, '0 of 3 recent requests would go elsewhere\n']);
  const json = await check(configFile('next.yaml', withMaintenance(config)), '--json');
  assert.equal(JSON.parse(json.out).matched, 3);
  assert.equal((await check(configFile('bad.yaml', { version: 1, nonsense: 1 }))).code, 78);
  assert.equal((await fetchRaw(proxy.target(), '/shop/cart')).status, 500, 'nothing was applied');
  const audit = await proxy.lines.next({ event: 'audit', action: 'shadow-check' });
  assert.equal(audit['result'], '3 requests');
});

test('what is no configuration, or of another version, is refused with the reason', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], ADMIN));
  await fetchRaw(proxy.target(), '/');
  const post = (body: unknown) =>
    fetchRaw(proxy.admin(), '/shadow-check', {
      method: 'POST',
      headers: ['Host', 'localhost'],
      body: JSON.stringify(body),
    });
  const other = await post({ version: '0.0.1', listeners: [], routes: [] });
  assert.equal(other.status, 422);
  assert.match(other.text, /the running process is version/);
  const { version } = JSON.parse(
    (await fetchRaw(proxy.admin(), '/status', { headers: ['Host', 'localhost'] })).text,
  );
  const garbage = await post({ version, listeners: ['main'], routes: [{ listeners: ['main'], match: 7 }] });
  assert.deepEqual([garbage.status, /not the routes of a configuration/.test(garbage.text)], [422, true]);
});

test('a reload tells in the log and on the terminal what has changed in meaning, and the traffic that it touches', async () => {
  await using backend = await startBackend(answer());
  const config = forwardTo([backend.address], ADMIN);
  await using proxy = await startProxy(config);
  for (let at = 0; at < 30; at++) await fetchRaw(proxy.target(), '/');
  proxy.rewrite(forwardTo([backend.address], { ...ADMIN, route: { timeouts: { responseHead: '7s' } } }));
  const reload = await runCommand(['reload', '--admin', `127.0.0.1:${proxy.admin().port}`]);
  assert.match(
    reload.out,
    /\n {2}live {5}routes\.all\.responseHeadMs: 30000 -> 7000 {2}\(0\.5 requests\/s\)\n$/,
  );
  const line = await proxy.lines.next({ event: 'reload', result: 'applied' });
  assert.deepEqual(line['changes'], {
    total: 1,
    first: [
      {
        path: 'routes.all.responseHeadMs',
        change: 'changed',
        class: 'live',
        before: 30_000,
        after: 7_000,
        perSecond: 0.5,
      },
    ],
  });
});
