// What a client, its deadline or this machine has caused is not held against backends: 25 such failures, and the next
// request is served. With a circuit that opens after 20 requests it would not be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { after, answer, inTurn, stallAfterHead, staySilent } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import type { LogLines } from '../support/log_lines.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const COUNT = 25;
const CLUSTER = { circuitBreaker: { minRequests: 20 } };
const TRUSTING = { trustedProxies: ['127.0.0.1'] };

function assertNobodyIsBlamed(lines: LogLines): void {
  for (const event of ['circuit_changed', 'health_changed'])
    assert.deepEqual(lines.find({ event, to: event === 'circuit_changed' ? 'open' : 'ejected' }), []);
}

/** 200 to `/`, and to everything else what `other` does. */
const wellAtRoot =
  (other: Behaviour): Behaviour =>
  request =>
    (request.target === '/' ? answer() : other)(request);

test('without descriptors requests are 503 local_exhausted; with descriptors again the same backends serve', async () => {
  await using backend = await startBackend(answer());
  await using other = await startBackend(answer());
  await using proxy = await startProxyProcess(forwardTo([backend.address, other.address]));
  using client = await connectRaw(proxy.target());
  void client.send(formatRequest('/'));
  await client.answer();
  const limit = (count: string) => execFileSync('prlimit', ['--pid', String(proxy.pid), `--nofile=${count}`]);
  limit('3:');
  let exhausted = 0;
  for (let count = 0; count < COUNT; count++) {
    void client.send(formatRequest('/'));
    const { status } = await client.answer();
    if (status === 503) exhausted++;
  }
  assert.ok(exhausted > 0, 'one of two endpoints needs a new connection');
  limit('1024:');
  for (let count = 0; count < 4; count++) {
    void client.send(formatRequest('/again'));
    assert.equal((await client.answer()).status, 200);
  }
  void client.send(formatRequest('/last'));
  await client.answer();
  await proxy.lines.next({ path: '/last' });
  assert.equal(proxy.lines.find({ reason: 'local_exhausted' }).length, exhausted);
  assertNobodyIsBlamed(proxy.lines);
});

test('deadlines of clients that are too short open no circuit, and are kept', async () => {
  await using backend = await startBackend(wellAtRoot(staySilent()));
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: TRUSTING, cluster: CLUSTER }),
  );
  const headers = ['X-Request-Deadline-Ms', '50'];
  const answers = await Promise.all(
    Array.from({ length: COUNT }, () => fetchRaw(proxy.target(), '/slow', { headers })),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([504]));
  for (const { timing } of proxy.lines.find({ path: '/slow' }))
    assert.ok((timing as { total: number }).total < 10_000, 'sooner than the 60 s of timeouts.request');
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  assertNobodyIsBlamed(proxy.lines);
});

test('timeouts.request holds where the deadline is later, and for a request with a body from its end on', async () => {
  await using backend = await startBackend(staySilent());
  const route = { timeouts: { request: '200ms', responseHead: 'off' } };
  await using proxy = await startProxy(forwardTo([backend.address], { listener: TRUSTING, route }));
  for (const options of [
    { headers: ['X-Request-Deadline-Ms', '60000'] },
    { method: 'POST', body: 'upload' },
  ]) {
    assert.equal((await fetchRaw(proxy.target(), '/', options)).status, 504);
    const line = await proxy.lines.next({ reason: 'request_timeout' });
    assert.equal((line['timeout'] as { ms: number }).ms, 200);
  }
});

test('after a client that had to be waited for, responseIdle holds again', async () => {
  const bytes = 'x'.repeat(16 * 1024 * 1024);
  await using backend = await startBackend(stallAfterHead(bytes));
  const route = { timeouts: { responseIdle: '500ms' } };
  await using proxy = await startProxy(forwardTo([backend.address], { route }));
  await assert.rejects(fetchRaw(proxy.target(), '/'), TruncatedAnswer);
  await proxy.lines.next({ reason: 'response_idle_timeout' });
});

test('perTry begins when the upload is complete', async () => {
  await using backend = await startBackend(async request => {
    await request.body();
    return answer()(request);
  });
  const route = { retries: { perTry: '200ms' } };
  await using proxy = await startProxy(forwardTo([backend.address], { route }));
  using client = await connectRaw(proxy.target());
  void client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
  await backend.requestCount(1);
  await pass(400); // the time of the upload is what is tested
  void client.send('cd');
  assert.equal((await client.answer()).status, 200);
});

test('HTTP/1.0 without Host reaches a backend that speaks HTTP/2', async () => {
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 });
    stream.end('served');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await using proxy = await startProxy(forwardTo([`127.0.0.1:${port}`], { cluster: { protocol: 'h2c' } }));
    for (let count = 0; count < COUNT; count++) {
      using client = await connectRaw(proxy.target());
      void client.send('GET / HTTP/1.0\r\n\r\n');
      assert.equal((await client.head()).status, 200);
    }
    assertNobodyIsBlamed(proxy.lines);
  } finally {
    server.close();
  }
});

test('501 and 505 speak of the request: they open no circuit', async () => {
  await using backend = await startBackend(
    wellAtRoot(inTurn(answer({ status: 501 }), answer({ status: 505 }))),
  );
  await using proxy = await startProxy(forwardTo([backend.address], { cluster: CLUSTER }));
  for (let count = 0; count < COUNT; count++) await fetchRaw(proxy.target(), '/odd');
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  assertNobodyIsBlamed(proxy.lines);
});

test('a process that stood still finds the answers that came meanwhile', async () => {
  const held = Promise.withResolvers<void>();
  await using backend = await startBackend(after(held.promise, answer()));
  const route = { timeouts: { responseHead: '500ms' }, retries: { attempts: 1 } };
  await using proxy = await startProxyProcess(forwardTo([backend.address], { route }));
  const asked = Array.from({ length: 10 }, () => fetchRaw(proxy.target(), '/'));
  await backend.requestCount(10);
  proxy.signal('SIGSTOP');
  held.resolve();
  await pass(1_500); // longer than the timeout, while nothing of the proxy runs
  proxy.signal('SIGCONT');
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([200]));
  await proxy.stop();
});
