// A backend that fails its probes, and one that comes back, with real sockets and real time in small doses.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { type BackendRequest, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

test('an endpoint that fails its checks gets no traffic, and gets it again when it recovers', async () => {
  let well = true;
  const sick = await startBackend((request: BackendRequest) =>
    answer({ status: request.target === '/healthz' && !well ? 500 : 200, body: 'sick' })(request),
  );
  const fit = await startBackend(answer({ body: 'fit' }));
  const active = {
    path: '/healthz',
    interval: '100ms',
    timeout: '100ms',
    healthyAfter: 2,
    unhealthyAfter: 2,
  };
  const proxy = await startProxy(
    forwardTo([sick.address, fit.address], {
      cluster: { health: { active }, loadBalancing: { policy: 'roundRobin' } },
    }),
  );
  await proxy.lines.next({ event: 'health_changed', endpoint: sick.address, to: 'healthy' });
  await proxy.lines.next({ event: 'health_changed', endpoint: fit.address, to: 'healthy' });

  well = false;
  const down = await proxy.lines.next({ event: 'health_changed', endpoint: sick.address, to: 'unhealthy' });
  assert.equal(down.cause, 'status 500, expected 200 to 399');
  for (let count = 0; count < 6; count++) assert.equal((await fetchRaw(proxy.target(), '/')).text, 'fit');

  well = true;
  await proxy.lines.next({
    event: 'health_changed',
    endpoint: sick.address,
    from: 'unhealthy',
    to: 'healthy',
  });
  const texts = new Set<string>();
  for (let count = 0; count < 4; count++) texts.add((await fetchRaw(proxy.target(), '/')).text);
  assert.deepEqual([...texts].sort(), ['fit', 'sick']);
  await proxy.stop();
  await sick.close();
  await fit.close();
});

test('with every endpoint down the answer is 503 no_healthy_backend at once', async () => {
  const backend = await startBackend(answer({ status: 500 }));
  const active = { path: '/', interval: '100ms', timeout: '100ms', unhealthyAfter: 1 };
  const proxy = await startProxy(forwardTo([backend.address], { cluster: { health: { active } } }));
  await proxy.lines.next({ event: 'health_changed', to: 'unhealthy' });
  const got = await fetchRaw(proxy.target(), '/');
  assert.equal(got.status, 503);
  assert.match(got.text, /no_healthy_backend/);
  await proxy.stop();
  await backend.close();
});

test('probes that succeed while requests fail are a line and a metric', async () => {
  await using backend = await startBackend(request =>
    answer({ status: request.target === '/healthz' ? 200 : 500 })(request),
  );
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      admin: { address: '127.0.0.1:0' },
      cluster: { health: { active: { path: '/healthz', interval: '100ms', timeout: '100ms' } } },
    }),
  );
  for (let count = 0; count < 12; count++) await fetchRaw(proxy.target(), '/');
  const line = await proxy.lines.next({ event: 'health_disagreement', endpoint: backend.address });
  assert.equal(line['level'], 40);
  assert.deepEqual([line['disagree'], line['probe']], [true, 'status 200']);
  assert.match(String(line['traffic']), /requests of the last 10 s failed/);
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  assert.match(text, /fairlead_endpoint_disagreement\{.*\} 1\n/);
  assert.match(text, /fairlead_endpoint_disagreements_total\{.*\} 1\n/);
});

test('a cluster of h2c backends is probed in h2c, and by gRPC where that is written', async () => {
  const asked: string[] = [];
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    asked.push(String(headers[':path']));
    stream.on('error', () => {});
    if (headers[':path'] !== '/healthz') {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    } else {
      stream.respond({ ':status': 200 });
      stream.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const active of [{ path: '/healthz' }, { grpc: true }]) {
    await using proxy = await startProxy(
      forwardTo([address], { cluster: { protocol: 'h2c', health: { active } } }),
    );
    await proxy.lines.next({ event: 'health_changed', to: 'healthy' });
  }
  assert.deepEqual(asked, ['/healthz', '/grpc.health.v1.Health/Check']);
  server.close();
  await once(server, 'close');
});
