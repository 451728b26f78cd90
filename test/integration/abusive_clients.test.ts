// Clients that ask for more than they wait for: the connection pays, nobody else does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { answer, staySilent } from '../support/backend_behaviours.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { connectFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

test('a client that pipelines without waiting for responses loses its connection after 64 requests', async () => {
  await using backend = await startBackend(staySilent());
  await using proxy = await startProxy(
    forwardTo([backend.address], { cluster: { pool: { connections: 300 } } }),
  );
  using patient = await connectRaw(proxy.target());
  await patient.send(Buffer.concat(Array.from({ length: 64 }, () => formatRequest('/patient'))));
  await backend.requestCount(64);
  using greedy = await connectRaw(proxy.target());
  await greedy.send(Buffer.concat(Array.from({ length: 200 }, () => formatRequest('/greedy'))));
  const first = await Promise.race([
    greedy.ended,
    backend.requestCount(64 + 65).then(() => 'all were let through'),
  ]);
  assert.match(first, /^(end|reset)$/);
  assert.equal((await proxy.lines.next({ path: '/greedy' }, 1)).reason, 'client_gone');
  assert.equal(proxy.lines.find({ path: '/patient' }).length, 0, '64 may wait');
  patient.destroy();
  await backend.noConnections();
  assert(proxy.lines.find({ path: '/greedy' }).length <= 64);
  const { text } = await proxy.report.metrics('');
  assert.match(text, /^fairlead_connections_cut_total\{listener="main",cause="pipelining"\} 1$/m);
});

test('a client that opens streams and resets them at once loses its connection after a burst (CVE-2023-44487)', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, http2: { maxConcurrentStreams: 4 } } }),
  );
  using client = connectFrames(proxy.target());
  const closed = once(client.socket, 'close').then(() => 'closed');
  for (let stream = 1; stream < 400; stream += 2) {
    client.headers(stream, 'GET', '/reset', true);
    client.resetStream(stream, 8);
  }
  client.headers(401, 'GET', '/behind', true);
  const served = proxy.lines.next({ path: '/behind' }).then(() => 'it went on');
  assert.equal(await Promise.race([closed, served]), 'closed');
  assert.equal((await fetchRaw(proxy.target(), '/next')).status, 200, 'another client is served');
  await proxy.lines.next({ path: '/next' });
  assert(proxy.lines.find({ path: '/reset' }).length < 50, 'most of the streams were never looked at');
});

test('a client that resets a stream now and then keeps its connection', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, http2: { maxConcurrentStreams: 4 } } }),
  );
  using client = connectFrames(proxy.target());
  const closed = once(client.socket, 'close').then(() => 'closed');
  for (let stream = 1; stream < 10; stream += 2) {
    client.headers(stream, 'GET', '/reset', true);
    client.resetStream(stream, 8);
  }
  client.ping();
  assert.equal(await Promise.race([closed, client.ponged.then(() => 'it goes on')]), 'it goes on');
});

const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, '1']));

test('an HTTP/2 request with too many fields is answered with 431, and with the most that are allowed it is served', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, limits: { headerCount: 200 } } }),
  );
  const client = await connectHttp2(proxy.target());
  assert.equal((await client.request('/', fields(190)).answer).status, 200);
  assert.equal((await client.request('/', fields(300)).answer).status, 431);
  assert.equal((await client.request('/', fields(1)).answer).status, 200, 'the connection goes on');
  await client.close();
});

test('a request with more fields than any limit would read is reset before it is a request', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, limits: { headBytes: '4KiB', headerCount: 50 } } }),
  );
  const client = await connectHttp2(proxy.target());
  const { status, rstCode } = await client.request('/', fields(180)).answer;
  assert.equal(status, 0);
  assert.notEqual(rstCode, 0);
  assert.equal((await client.request('/', fields(1)).answer).status, 200, 'the connection goes on');
  await client.close();
  assert.equal(proxy.lines.find({ status: 431 }).length, 0);
});
