// A cluster whose endpoints have names: addresses come and go while requests are served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LookUp } from '../../src/net/resolver.ts';
import { after, answer } from '../support/backend_behaviours.ts';
import { caFile, server } from '../support/certificates.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

/** A name server that a test can change while it is asked; no address means that the name does not exist. */
class NameServer {
  asked = 0;
  addresses: string[] = [];
  constructor(...addresses: string[]) {
    this.addresses = addresses;
  }
  readonly lookUp: LookUp = async () => {
    this.asked++;
    if (this.addresses.length === 0) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return { addresses: this.addresses, ttlMs: 0 };
  };
}

const cluster = (port: number) => forwardTo([`app.test:${port}`]);

test('a start with a name that does not resolve succeeds; requests get 502 until it does', async () => {
  await using backend = await startBackend(answer({ body: 'here' }));
  const names = new NameServer();
  await using proxy = await startProxy(cluster(backend.port), names);
  const warning = await proxy.lines.next({ event: 'name_failed', name: 'app.test', code: 'ENOTFOUND' });
  assert.equal(warning['kept'], 0);
  const failed = await fetchRaw(proxy.target(), '/');
  assert.equal(failed.status, 502);
  assert.match(String(failed.headers), /error=dns_error/);
  await proxy.lines.next({ status: 502, reason: 'dns_failed' });

  names.addresses = ['127.0.0.1'];
  await proxy.lines.next({ event: 'name_resolved', name: 'app.test' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('each address of a name is an endpoint; the metrics know the name only', async () => {
  await using one = await startBackend(answer({ body: 'one' }));
  await using two = await startBackend(answer({ body: 'two' }), { host: '127.0.0.2', port: one.port });
  await using proxy = await startProxy(
    { ...cluster(one.port), admin: { address: '127.0.0.1:0' } },
    new NameServer('127.0.0.1', '127.0.0.2'),
  );
  while (one.requests.length === 0 || two.requests.length === 0) await fetchRaw(proxy.target(), '/');
  const metrics = (await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] })).text;
  assert.match(
    metrics,
    new RegExp(`fairlead_endpoint_healthy\\{cluster="app",endpoint="app.test:${one.port}"\\} 1\n`),
  );
  assert.doesNotMatch(metrics, /endpoint="127/);
});

test('a removed address finishes its requests, a new one gets traffic, and a failing name changes nothing', async () => {
  await using one = await startBackend(answer({ body: 'one' }));
  await using second = await startBackend(answer({ body: 'two' }), { host: '127.0.0.2', port: one.port });
  const held = Promise.withResolvers<void>();
  one.behave(after(held.promise, answer({ body: 'slow' })));
  const names = new NameServer('127.0.0.1');
  await using proxy = await startProxy(cluster(one.port), names);
  const slow = fetchRaw(proxy.target(), '/');
  await one.requestCount(1);

  names.addresses = ['127.0.0.2'];
  const change = await proxy.lines.next({ event: 'endpoints_changed', cluster: 'app' }, 2);
  assert.deepEqual([change['added'], change['removed']], [[second.address], [`127.0.0.1:${one.port}`]]);
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'two');
  held.resolve();
  assert.equal((await slow).text, 'slow');
  await one.noConnections();

  names.addresses = [];
  const failed = await proxy.lines.next({ event: 'name_failed' });
  assert.equal(failed['kept'], 1);
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'two');
});

test('the certificate of an address is checked for the name that led there', async () => {
  await using backend = await startBackend(answer(), { tls: server });
  const config = (name: string) =>
    forwardTo([`${name}:${backend.port}`], { cluster: { tls: { caFile }, health: { passive: 'off' } } });
  const names = new NameServer('127.0.0.1');
  await using right = await startProxy(config('backend.app.test'), names);
  assert.equal((await fetchRaw(right.target(), '/')).status, 200);
  await using wrong = await startProxy(config('other.test'), names);
  assert.equal((await fetchRaw(wrong.target(), '/')).status, 502);
  await wrong.lines.next({ reason: 'tls_failed' });
});

test('a reload that leaves a cluster alone asks for its names no sooner', async () => {
  await using backend = await startBackend(answer());
  const names = new NameServer('127.0.0.1');
  const slow = { address: `app.test:${backend.port}`, resolve: { refresh: '1h' } };
  await using proxy = await startProxy(forwardTo([slow]), {
    lookUp: async host => ({ ...(await names.lookUp(host)), ttlMs: null }),
  });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  proxy.rewrite(forwardTo([slow], { route: { name: 'renamed' } }));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  proxy.rewrite(forwardTo([slow], { route: { name: 'renamed' }, cluster: { pool: { queue: 7 } } }));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200, 'also where the pool is a new one');
  assert.equal(names.asked, 1);
});

test('a reload that changes how often a name is asked for, while no name server answers, costs no request', async () => {
  await using backend = await startBackend(answer({ body: 'here' }));
  const names = new NameServer('127.0.0.1');
  const config = (refresh: string) =>
    forwardTo([{ address: `app.test:${backend.port}`, resolve: { refresh } }]);
  await using proxy = await startProxy(config('30s'), names);
  await proxy.lines.next({ event: 'endpoints_changed' });
  names.addresses = [];
  proxy.rewrite(config('20s'));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'here');
  await proxy.lines.next({ event: 'name_failed', kept: 1 });
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'here');
});
