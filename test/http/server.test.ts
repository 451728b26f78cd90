// The connections of a listener: how long they are kept, what a change of the settings does to them, and how they end.
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Services } from '../../src/http/request.ts';
import { ListenerServer } from '../../src/http/server.ts';
import { ConnectionTable } from '../../src/net/connection.ts';
import { after, answer, staySilent } from '../support/backend_behaviours.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2, type Http2Client } from '../support/http2_client.ts';
import { connectFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { connectRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const H2 = { protocol: 'http2' } as const;
const IDLE_10S = { listener: { timeouts: { keepAliveIdle: '10s' } } };

/** The server has read everything that was sent before. */
function answered({ session }: Http2Client): Promise<void> {
  return new Promise((resolve, reject) =>
    session.ping(error => (error === null ? resolve() : reject(error))),
  );
}

test('an HTTP/2 connection is idle from the end of its last request, and ends at keepAliveIdle exactly', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(forwardTo([backend.address], IDLE_10S), H2);
  const client = await connectHttp2(proxy.target);
  await answered(client);
  proxy.clock.advance(9_000);
  assert.equal((await client.request('/').answer).status, 200);
  await answered(client);
  proxy.clock.advance(9_999);
  await answered(client);
  assert.equal(client.session.closed, false, 'one millisecond before; pings do not count');
  proxy.clock.advance(1);
  await client.goAway;
  await client.close();
});

test('an HTTP/2 connection with a request is not idle, however long the request takes', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, answer()));
  const route = { timeouts: { responseHead: 'off', request: 'off' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { ...IDLE_10S, route }), H2);
  const client = await connectHttp2(proxy.target);
  const { answer: got } = client.request('/');
  await backend.requestCount(1);
  proxy.clock.advance(60_000);
  await answered(client);
  assert.equal(client.session.closed, false);
  release();
  assert.equal((await got).status, 200);
  await client.close();
});

test('an HTTP/2 client that says goodbye and does not close is let go after two seconds', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(forwardTo([backend.address]), H2);
  using client = connectFrames(proxy.target, { allowHalfOpen: true });
  client.goAway();
  client.ping();
  await client.ponged;
  /** What is written into a connection that is gone is answered with a reset, which the next write notices. */
  const isGoneAfter = async (turns: number) => {
    for (let count = 0; count < turns && !client.socket.destroyed; count++) {
      client.ping();
      await turn();
    }
    return client.socket.destroyed;
  };
  proxy.clock.advance(1_999);
  assert.equal(await isGoneAfter(20), false);
  proxy.clock.advance(1);
  assert.equal(await isGoneAfter(Number.POSITIVE_INFINITY), true);
});

test('an HTTP/2 connection takes no request more than requestsPerConnection allows, and answers the last one', async () => {
  await using backend = await startBackend(answer());
  const limits = { requestsPerConnection: 2 };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener: { limits } }), H2);
  const client = await connectHttp2(proxy.target);
  assert.equal((await client.request('/').answer).status, 200);
  assert.equal(client.session.closed, false);
  assert.equal((await client.request('/').answer).status, 200);
  await client.goAway;
  await client.close();
});

test('other limits hold for connections that come after the reload, and those that are open stay', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(forwardTo([backend.address], IDLE_10S), H2);
  const before = await connectHttp2(proxy.target);
  await answered(before);
  const { settings, listener, clock } = proxy;
  const http2Settings = { ...settings.http2Settings, streamsMax: 7 };
  listener.update({ ...settings, keepAliveIdleMs: 3_000, http2Settings });
  const later = await connectHttp2(proxy.target);
  await answered(later);
  assert.equal(later.session.remoteSettings.maxConcurrentStreams, 7);
  assert.notEqual(before.session.remoteSettings.maxConcurrentStreams, 7);
  clock.advance(3_000);
  await later.goAway;
  await answered(before);
  assert.equal(before.session.closed, false, 'it has the ten seconds with which it was opened');
  assert.equal((await before.request('/').answer).status, 200);
  await before.close();
  await later.close();
});

test('a listener that is removed fails at its deadline what is still under way, and is gone', async () => {
  for (const protocol of ['http1', 'http2'] as const) {
    await using backend = await startBackend(staySilent());
    await using proxy = await startOnFakeClock(forwardTo([backend.address]), { protocol });
    const client = protocol === 'http1' ? await connectRaw(proxy.target) : await connectHttp2(proxy.target);
    const got =
      'session' in client
        ? client.request('/').answer
        : client.send(formatRequest('/')).then(() => client.answer());
    await backend.requestCount(1);
    let isGone = false;
    const gone = proxy.listener.retire(5_000).then(() => {
      isGone = true;
    });
    proxy.clock.advance(4_999);
    await turn();
    assert.deepEqual([isGone, proxy.traffic.active.size], [false, 1]);
    proxy.clock.advance(1);
    assert.equal((await got).status, 503);
    await proxy.lines.next({ reason: 'shutting_down' });
    proxy.clock.advance(6_000); // the last words of a client that does not close
    await gone;
    if ('session' in client) await client.close();
    else client.destroy();
  }
});

test('a request of an unknown version is refused, and behind another request that one is answered first', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, answer({ body: 'first' })));
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  const wrong = 'GET /wrong HTTP/2.0\r\nHost: a\r\n\r\n';
  using alone = await connectRaw(proxy.target);
  await alone.send(wrong);
  const refused = await alone.answer();
  assert.deepEqual([refused.status, value(refused.headers, 'connection')], [400, 'close']);
  assert.match(refused.text, /The HTTP version is not supported/);
  using behind = await connectRaw(proxy.target);
  await behind.send(Buffer.concat([formatRequest('/right'), Buffer.from(wrong)]));
  await backend.requestCount(1);
  release();
  assert.equal((await behind.answer()).text, 'first');
  assert.equal(await behind.ended, 'end');
  assert.deepEqual(proxy.lines.find({ path: '/wrong', status: 200 }), []);
});

test('garbage behind a good request does not cost that one its answer, and ends the connection', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(released, answer({ body: 'good' })));
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target);
  await client.send(Buffer.concat([formatRequest('/'), Buffer.from('\u0000\u0001 garbage\r\n\r\n')]));
  await backend.requestCount(1);
  release();
  assert.equal((await client.answer()).text, 'good');
  await client.ended;
});

test('a defect of ours costs the connection or stream on which it shows, is told, and no other one notices', async () => {
  // A plan that does not know the listener: the first thing that every request asks for is missing.
  const clock = new FakeClock();
  const told: string[] = [];
  const services = {
    planeRef: { current: { plane: { listeners: new Map() } } },
    telemetry: { emit: ({ kind }: { kind: string }) => told.push(kind) },
    traffic: { draining: false, active: { list: () => [] } },
    clock,
  } as unknown as Services;
  const settings = planOf(forwardTo(['127.0.0.1:1'])).listeners['main'];
  assert(settings !== undefined);
  const listener = new ListenerServer(settings, services);
  const connections = new ConnectionTable(clock);
  let protocol: 'http1' | 'http2' = 'http1';
  const server = net.createServer({ allowHalfOpen: true }, socket => {
    const limits = { processMax: 9, listenerMax: null, perIpMax: null, floodPenaltyMs: null };
    const tracked = connections.admit(socket, 'main', '127.0.0.1', '127.0.0.1', limits);
    assert(typeof tracked !== 'string');
    listener.accept(socket, tracked, protocol);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  using bystander = await connectRaw({ port });
  using client = await connectRaw({ port });
  await client.send(formatRequest('/'));
  await client.ended;
  assert.deepEqual([told, bystander.socket.destroyed], [['defect'], false]);
  protocol = 'http2';
  const streams = await connectHttp2({ port });
  assert.equal((await streams.request('/').answer).status, 0);
  await answered(streams); // the connection goes on
  assert.deepEqual(told, ['defect', 'defect']);
  await streams.close();
  bystander.destroy();
  listener.close();
  await new Promise(resolve => server.close(resolve));
});
