// What is known of a backend belongs to the backend: a reload that changes a setting beside it forgets nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { after, answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

test('the bound of a pool holds for the connections of the plans before and after a change of its times', async () => {
  const released = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released.promise, answer({ body: 'late' })));
  const config = (idle: string) =>
    forwardTo([backend.address], {
      cluster: { pool: { connections: 2, idle, queueTimeout: '200ms' } },
      route: { retries: { attempts: 1 }, timeouts: { request: '20s' } }, // a bound that does not hold must not hang
    });
  await using proxy = await startProxy(config('4s'));
  const early = [fetchRaw(proxy.target(), '/'), fetchRaw(proxy.target(), '/')];
  await backend.requestCount(2);
  proxy.rewrite(config('3s'));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  const refused = await Promise.all([fetchRaw(proxy.target(), '/'), fetchRaw(proxy.target(), '/')]);
  assert.deepEqual(
    refused.map(({ status }) => status),
    [503, 503],
  );
  assert.equal(backend.connections.total, 2);
  released.resolve();
  for (const one of await Promise.all(early)) assert.equal(one.text, 'late');
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'late', 'there is capacity again');
});

test('an HTTP/2 connection in use goes on under a changed pool, with the new bounds, and an idle one is closed', async () => {
  const server = http2.createServer();
  let sessions = 0;
  server.on('session', () => sessions++);
  const held: ServerHttp2Stream[] = [];
  server.on('stream', (stream, headers) => {
    if (headers[':path'] === '/hold') held.push(stream as ServerHttp2Stream);
    else (stream as ServerHttp2Stream).respond({ ':status': 204 }, { endStream: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const config = (pool: Readonly<Record<string, unknown>>) =>
    forwardTo([`127.0.0.1:${port}`], { cluster: { protocol: 'h2c', pool: { connections: 1, ...pool } } });
  const proxy = await startProxy(config({ idle: '4s' }));
  const reload = async (pool: Readonly<Record<string, unknown>>) => {
    proxy.rewrite(config(pool));
    assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  };
  const early = fetchRaw(proxy.target(), '/hold');
  await once(server, 'stream');
  await reload({ idle: '3s' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 204);
  assert.equal(sessions, 1, 'on the connection that is there');
  held[0]?.respond({ ':status': 204 }, { endStream: true });
  assert.equal((await early).status, 204);
  await reload({ idle: '2s' });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 204);
  assert.equal(sessions, 2, 'nobody used the first one');
  await proxy.stop();
  await new Promise(resolve => server.close(resolve));
});

test('leastRequests knows the requests in flight after a setting of the cluster changes', async () => {
  const released = Promise.withResolvers<void>();
  const behaviour = (name: string) => (request: Parameters<ReturnType<typeof answer>>[0]) =>
    request.target === '/hold'
      ? after(released.promise, answer({ body: name }))(request)
      : answer({ body: name })(request);
  await using one = await startBackend(behaviour('one'));
  await using two = await startBackend(behaviour('two'));
  const config = (queue: number) =>
    forwardTo([one.address, two.address], {
      cluster: { loadBalancing: { policy: 'leastRequests' }, pool: { queue } },
    });
  await using proxy = await startProxy(config(100));
  const held = fetchRaw(proxy.target(), '/hold');
  await Promise.race([one.requestCount(1), two.requestCount(1)]);
  proxy.rewrite(config(101));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  const answered = new Set<string>();
  for (let count = 0; count < 20; count++) answered.add((await fetchRaw(proxy.target(), '/')).text);
  released.resolve();
  const busy = (await held).text;
  assert.deepEqual([...answered], [busy === 'one' ? 'two' : 'one'], 'the idle one, each time');
});

test('an address that its name lacks for a moment comes back as ejected as it went', async () => {
  await using backend = await startBackend(answer());
  let addresses = ['127.0.0.1', '127.0.0.2']; // nobody listens on the second
  await using proxy = await startProxy(
    forwardTo([{ address: `app.test:${backend.port}`, resolve: { refresh: '1s' } }], {
      cluster: { health: { passive: { consecutiveFailures: 1, ejectFor: '5m' } } },
    }),
    { lookUp: async () => ({ addresses, ttlMs: 0 }) },
  );
  const gone = `127.0.0.2:${backend.port}`;
  const ejected = proxy.lines.next({ event: 'health_changed', endpoint: gone, to: 'ejected' });
  let isEjected = false;
  void ejected.then(() => {
    isEjected = true;
  });
  while (!isEjected) await fetchRaw(proxy.target(), '/');
  addresses = ['127.0.0.1'];
  await proxy.lines.next(({ removed }) => String(removed) === gone);
  addresses = ['127.0.0.1', '127.0.0.2'];
  await proxy.lines.next(({ added }) => String(added) === gone);
  const { clusters } = proxy.report.status();
  assert.deepEqual(
    clusters[0]?.endpoints.map(({ endpoint, state }) => [endpoint, state]),
    [
      [`127.0.0.1:${backend.port}`, 'unchecked'],
      [gone, 'ejected'],
    ],
  );
});

/** The verdict over an endpoint and those who give it go by the same key. */
const withSlowStart = (endpoints: readonly string[], health: unknown, slowStart: string) =>
  forwardTo(endpoints, {
    cluster: { health, loadBalancing: { policy: 'roundRobin', slowStart } },
    route: { retries: { attempts: 0 } },
  });

test('after a reload that changes only slowStart probes still take a sick endpoint out', async () => {
  let status = 200;
  await using backend = await startBackend(request =>
    answer({ status: request.target === '/healthz' ? status : 200 })(request),
  );
  const active = { path: '/healthz', interval: '100ms', timeout: '100ms', unhealthyAfter: 1 };
  const config = (slowStart: string) => withSlowStart([backend.address], { active }, slowStart);
  await using proxy = await startProxy(config('1s'));
  await proxy.lines.next({ event: 'health_changed', to: 'healthy' });
  proxy.rewrite(config('2s'));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  status = 500;
  // One probe at a time: when the second one comes, the answer to the first has been judged.
  await backend.requestCount(backend.requests.length + 2);
  assert.match((await fetchRaw(proxy.target(), '/')).text, /no_healthy_backend/);
});

test('after a reload that changes only slowStart failed requests still take a sick endpoint out', async () => {
  await using sick = await startBackend(answer({ status: 500 }));
  await using fit = await startBackend(answer());
  const passive = { consecutiveFailures: 1 };
  const config = (slowStart: string) => withSlowStart([sick.address, fit.address], { passive }, slowStart);
  await using proxy = await startProxy(config('1s'));
  proxy.rewrite(config('2s'));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  for (let count = 0; count < 6; count++) await fetchRaw(proxy.target(), '/');
  assert.equal(proxy.lines.find({ event: 'health_changed', to: 'ejected' }).length, 1);
  assert.equal(sick.requests.length, 1);
});

test('a recovered endpoint starts slowly, and so does one that is added to a running cluster', async () => {
  await using one = await startBackend(answer({ body: 'one' }));
  await using two = await startBackend(answer({ body: 'two' }));
  const options = {
    cluster: {
      loadBalancing: { policy: 'roundRobin', slowStart: '1h' },
      health: { passive: { consecutiveFailures: 1, ejectFor: '100ms' } },
    },
  };
  await using proxy = await startProxy(forwardTo([one.address, two.address], options));
  one.behave(answer({ status: 500 }));
  while (proxy.lines.find({ event: 'health_changed', to: 'ejected' }).length === 0)
    await fetchRaw(proxy.target(), '/');
  one.behave(answer({ body: 'one' }));
  await proxy.lines.next({ event: 'health_changed', endpoint: one.address, from: 'ejected', to: 'warming' });
  const before = one.requests.length;
  for (let count = 0; count < 60; count++) await fetchRaw(proxy.target(), '/');
  assert.ok(
    one.requests.length - before < 15,
    `${one.requests.length - before} of 60, where half would be its share`,
  );

  await using three = await startBackend(answer({ body: 'three' }));
  proxy.rewrite(forwardTo([one.address, two.address, three.address], options));
  await proxy.proxy.reload('signal');
  for (let count = 0; count < 60; count++) await fetchRaw(proxy.target(), '/');
  assert.ok(three.requests.length < 15, `${three.requests.length} of 60`);
});
