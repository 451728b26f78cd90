/** The end of connections: of a process that drains, and of a listener that a reload has removed. Nothing sent is lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { WebSocket } from 'ws';
import { ListenerServer } from '../../src/http/server.ts';
import {
  after,
  answer,
  echo,
  stallAfterHead,
  staySilent,
  webSocketEcho,
} from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** Ends without `using`: a client that is still there is part of what is tested. */
const serving = (address: string, more: object = {}) => startProxy(forwardTo([address], more));
const DRAIN_LONG = { drain: { timeout: '1h' } };

test('an HTTP/2 client that reads slowly gets every byte and the end of a response in progress at SIGTERM', async () => {
  const bytes = 24_000_000;
  await using backend = await startBackend(answer({ body: Buffer.alloc(bytes, 'x') }));
  const proxy = await serving(backend.address, { listener: { h2c: true }, process: DRAIN_LONG });
  const { traffic } = proxy.proxy.runtime;
  // In between stands who reads for the client: slowly, then not at all.
  const upstream = connect(proxy.target().port, '127.0.0.1');
  const accepted: Socket[] = [];
  const relay = createServer(client => {
    accepted.push(client);
    client.pipe(upstream);
    upstream.on('data', chunk => client.write(chunk)).on('end', () => client.end());
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  const { port } = relay.address() as AddressInfo;
  const client = await connectHttp2({ port, settings: { initialWindowSize: 2 * bytes } });
  client.session.setLocalWindowSize(2 * bytes);
  const { head, answer: got } = client.request('/');
  await head;
  const stopped = proxy.stop();
  await proxy.lines.next({ event: 'phase_changed', to: 'draining' });
  while (traffic.active.size > 0) {
    upstream.resume();
    await turn();
    upstream.pause();
    for (let count = 0; count < 20; count++) await turn(); // the proxy writes more than is read
  }
  // The kernel has the rest of the response, and throws it away if the process ends and the client says something more.
  for (let count = 0; count < 100; count++) await turn();
  assert.equal(proxy.proxy.phase, 'draining', 'the connection counts until the client has everything');
  upstream.resume();
  const { body: received, rstCode } = await got;
  assert.deepEqual([received.length, rstCode], [bytes, 0]);
  await stopped;
  await client.close();
  for (const socket of [upstream, ...accepted]) socket.destroy();
  relay.close();
});

test('connections that the kernel has made before the end of accepting are served', async () => {
  await using backend = await startBackend(echo());
  const proxy = await serving(backend.address);
  const { port } = proxy.target();
  // In one turn: none of these can have been accepted when the drain begins.
  const answers = Array.from({ length: 50 }, () => fetchRaw({ port }, '/'));
  await new Promise<void>(resolve =>
    connect(port, '127.0.0.1').once('connect', function (this: { destroy(): void }) {
      this.destroy();
      resolve();
    }),
  );
  const stopped = proxy.stop();
  for (const { status, headers } of await Promise.all(answers)) {
    assert.equal(status, 200);
    assert.equal(value(headers, 'connection'), 'close');
  }
  await stopped;
});

test('a request that comes on a kept connection at the moment of SIGTERM is answered', async () => {
  await using backend = await startBackend(echo());
  const proxy = await serving(backend.address);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(proxy.target())));
  for (const client of clients) {
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
  }
  for (const client of clients) void client.send(formatRequest('/'));
  const stopped = proxy.stop();
  for (const client of clients) assert.equal((await client.answer()).status, 200);
  await stopped;
  for (const client of clients) client[Symbol.dispose]();
});

test('a WebSocket handshake in progress at SIGTERM is closed with 1001 like the others', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, webSocketEcho()));
  const proxy = await serving(backend.address, { process: DRAIN_LONG });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.target().port}/`);
  const closed = new Promise<number>(resolve => socket.once('close', resolve));
  await backend.requestCount(1);
  const stopped = proxy.stop();
  await proxy.lines.next({ event: 'phase_changed', to: 'draining' });
  release();
  assert.equal(await closed, 1_001);
  await stopped;
});

const withSecond = (address: string, more: object = {}) =>
  forwardTo([address], { listeners: { second: { address: '127.0.0.1:0' } }, ...more });

async function remove(proxy: ProxyInProcess, address: string, more: object = {}): Promise<void> {
  proxy.rewrite(forwardTo([address], more));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
}

test('a removed listener closes its idle connections, and finishes requests with Connection: close', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, echo()));
  await using proxy = await startProxy(withSecond(backend.address));
  using idle = await connectRaw(proxy.target('second'));
  using working = await connectRaw(proxy.target('second'));
  void working.send(formatRequest('/'));
  await backend.requestCount(1);
  await remove(proxy, backend.address);
  await idle.ended;
  release();
  assert.equal(value((await working.answer()).headers, 'connection'), 'close');
  await working.ended;
});

test('what a removed listener still serves at process.drain.timeout ends with shutting_down', async () => {
  await using backend = await startBackend(staySilent());
  const more = { process: { drain: { timeout: '300ms' } } };
  await using proxy = await startProxy(withSecond(backend.address, more));
  using client = await connectRaw(proxy.target('second'));
  void client.send(formatRequest('/'));
  await backend.requestCount(1);
  await remove(proxy, backend.address, more);
  assert.equal((await client.answer()).status, 503);
  const { reason } = await proxy.lines.next({ listener: 'second', status: 503 });
  assert.equal(reason, 'shutting_down');
  const cut = await proxy.lines.next({ event: 'requests_cut', listener: 'second' });
  assert.deepEqual([cut['count'], cut['routes']], [1, { all: 1 }]);
});

test('a stream that never ends does not keep a removed listener beyond the deadline', async () => {
  await using backend = await startBackend(stallAfterHead('part'));
  const more = { process: { drain: { timeout: '300ms' } } };
  await using proxy = await startProxy(withSecond(backend.address, more));
  using client = await connectRaw(proxy.target('second'));
  void client.send(formatRequest('/'));
  const answering = assert.rejects(client.answer(), TruncatedAnswer);
  await backend.requestCount(1);
  await remove(proxy, backend.address, more);
  await answering;
});

test('seventy listeners that came and went leave nothing in memory', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(forwardTo([backend.address]));
  const before = queryObjects(ListenerServer, { format: 'count' });
  for (let round = 0; round < 70; round++) {
    proxy.rewrite(withSecond(backend.address));
    await proxy.proxy.reload('signal');
    assert.equal((await fetchRaw(proxy.target('second'), '/')).status, 200);
    await remove(proxy, backend.address);
  }
  let left = 0;
  for (let looks = 0; looks < 100; looks++) {
    await turn();
    left = Number(queryObjects(ListenerServer, { format: 'count' })) - Number(before);
    if (left <= 1) break; // the last one may be on the stack
  }
  assert.ok(left <= 1, `${left} are left`);
});
