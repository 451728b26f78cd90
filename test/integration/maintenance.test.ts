// Maintenance as clients see it, over HTTP/1.1 and HTTP/2, and as an operator begins and ends it: by a reload.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer, tunnel } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const WEBSOCKET = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];

test('a page is sent as written, to GET, HEAD, uploads and WebSocket handshakes, and no backend is asked', async () => {
  await using backend = await startBackend(answer());
  const maintenance = { body: '<h1>soon</h1>', contentType: 'text/html', retryAfter: '90s' };
  await using proxy = await startProxy(forwardTo([backend.address], { route: { maintenance } }));
  for (const [method, headers, body] of [
    ['GET', [], ''],
    ['HEAD', [], ''],
    ['POST', [], 'x'.repeat(1_000)],
    ['GET', WEBSOCKET, ''],
  ] as const) {
    const given = await fetchRaw(proxy.target(), '/a', { method, headers, ...(body === '' ? {} : { body }) });
    assert.deepEqual([given.status, given.text], [503, method === 'HEAD' ? '' : '<h1>soon</h1>']);
    assert.equal(value(given.headers, 'content-type'), 'text/html');
    assert.equal(value(given.headers, 'content-length'), '13');
    assert.equal(value(given.headers, 'retry-after'), '90');
    assert.equal(value(given.headers, 'cache-control'), 'no-store');
    assert.equal(value(given.headers, 'proxy-status'), 'fairlead; error=destination_unavailable');
  }
  assert.equal(backend.requests.length, 0);
  const [line] = proxy.lines.find({ reason: 'maintenance' });
  assert.deepEqual([line?.['route'], line?.['level'], line?.['attempts']], ['all', 30, []]);
});

test('HTTP/2 clients get the same page, and gRPC clients their status', async () => {
  await using backend = await startBackend(answer());
  const options = { listener: { h2c: true }, route: { maintenance: { body: 'soon', status: 599 } } };
  await using proxy = await startProxy(forwardTo([backend.address], options));
  const client = await connectHttp2({ port: proxy.target().port });
  const page = await client.request('/').answer;
  assert.deepEqual([page.status, page.text, value(page.headers, 'retry-after')], [599, 'soon', '300']);
  const call = await client.request('/s/M', {
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
  }).answer;
  assert.deepEqual([call.status, value(call.headers, 'grpc-status')], [200, '14']);
  assert.match(value(call.headers, 'grpc-message') ?? '', /^maintenance: /);
  await client.close();
  assert.equal(backend.requests.length, 0);
});

test('who is allowed is served as usual, by the address that a trusted proxy names; denied clients stay denied', async () => {
  await using backend = await startBackend(answer());
  const options = {
    listener: { trustedProxies: ['127.0.0.9'] },
    route: { maintenance: { allow: ['10.0.0.0/8'] }, access: { deny: ['10.9.0.0/16'] } },
  };
  await using proxy = await startProxy(forwardTo([backend.address], options));
  const status = async (localAddress: string, client: string) =>
    (await fetchRaw({ ...proxy.target(), localAddress }, '/', { headers: ['X-Forwarded-For', client] }))
      .status;
  assert.equal(await status('127.0.0.9', '10.1.1.1'), 200);
  assert.equal(await status('127.0.0.9', '11.1.1.1'), 503);
  assert.equal(await status('127.0.0.1', '10.1.1.1'), 503, 'nobody else is believed');
  assert.equal(await status('127.0.0.9', '10.9.1.1'), 403);
});

test('it comes before rate limits and logins, which it neither uses up nor asks for', async () => {
  await using backend = await startBackend(answer());
  const options = {
    route: {
      maintenance: 'on',
      rateLimits: [{ key: 'route', rate: '1/h' }],
      basicAuth: { file: join(ROOT, 'test/support/users/users.htpasswd') },
    },
  };
  await using proxy = await startProxy(forwardTo([backend.address], options));
  for (let at = 0; at < 3; at++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 503);
});

test('examples/maintenance.yaml: a reload begins the maintenance of everything, and another ends it; tunnels and the health path go on', async () => {
  const echoing = tunnel(async ({ reader, socket }) => {
    socket.write(await reader.exactly(10));
    await reader.rest();
    socket.end();
  });
  const usually = answer();
  await using backend = await startBackend(request =>
    request.headers.includes('websocket') ? echoing(request) : usually(request),
  );
  const html = readFileSync(join(ROOT, 'examples/maintenance.html'), 'utf8');
  const text = (enabled: boolean) =>
    readFileSync(join(ROOT, 'examples/maintenance.yaml'), 'utf8')
      .replace('\n  enabled: false', `\n  enabled: ${enabled}`)
      .replace('bodyFile: maintenance.html', `bodyFile: ${join(ROOT, 'examples/maintenance.html')}`)
      .replace('127.0.0.1:8080', '127.0.0.1:0')
      .replace('127.0.0.1:9901', '127.0.0.1:0')
      .replaceAll(/127\.0\.0\.1:900[02]/g, backend.address);
  await using proxy = await startProxy(text(false));
  const target = proxy.target('public');
  const statuses = async () => {
    const found: Record<string, number> = {};
    for (const path of ['/', '/checkout', '/api', '/status', '/-/ready'])
      found[path] = (await fetchRaw(target, path)).status;
    return found;
  };
  const usual = { '/': 200, '/checkout': 503, '/api': 503, '/status': 200, '/-/ready': 200 };
  assert.deepEqual(await statuses(), usual);
  assert.equal((await fetchRaw(target, '/checkout')).text, html);
  assert.equal((await fetchRaw(target, '/api')).text, '{"error":"maintenance"}');
  using socket = await connectRaw(target);
  void socket.send(formatRequest('/', { headers: WEBSOCKET }));
  assert.equal((await socket.head()).status, 101);

  proxy.rewrite(text(true));
  await proxy.proxy.reload('signal');
  assert.deepEqual(await statuses(), { ...usual, '/': 503 });
  const index = await fetchRaw(target, '/');
  assert.deepEqual([index.text, value(index.headers, 'content-type')], [html, 'text/html; charset=utf-8']);
  assert.equal(value(index.headers, 'retry-after'), '1800');
  void socket.send('still here');
  assert.equal(String(await socket.reader.exactly(10)), 'still here');
  socket.destroy();

  proxy.rewrite(text(false));
  await proxy.proxy.reload('signal');
  assert.deepEqual(await statuses(), usual);
});

test('the status names it as the action of the route, and counts no failure', async () => {
  await using backend = await startBackend(answer());
  const options = { admin: { address: '127.0.0.1:0' }, route: { maintenance: 'on' } };
  await using proxy = await startProxy(forwardTo([backend.address], options));
  for (let at = 0; at < 3; at++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 503);
  const status = await fetchRaw(proxy.admin(), '/status', { headers: ['Host', 'localhost'] });
  const { routes } = JSON.parse(status.text);
  assert.deepEqual([routes[0].action, routes[0].figures.failureShare], ['maintenance 503 (app)', 0]);
  assert.match(
    (await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] })).text,
    /^fairlead_failures_total\{reason="maintenance",route="all"\} 3$/m,
  );
});
