// Clients that do their part too slowly, or together want more memory than there is: each costs itself, and says why.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout, setImmediate as turn } from 'node:timers/promises';
import { after, answer, inTurn, readNothing, tunnel } from '../support/backend_behaviours.ts';
import { connectFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const MIB = 1024 * 1024;
const UPLOAD = 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';
const HANDSHAKE = formatRequest('/tunnel', { headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] });

async function passSecond(proxy: ProxyOnFakeClock): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn(); // what is in the sockets arrives
  proxy.clock.advance(1_000);
}

/** Which timer of a log line has fired. */
function timerOf(line: { readonly timeout?: unknown } | undefined): unknown {
  const { timeout } = line ?? {};
  return typeof timeout === 'object' && timeout !== null && 'name' in timeout ? timeout.name : timeout;
}

test('an upload of one byte every 9 s is answered with 408 after 30 s, and one at the minimum rate goes on', async () => {
  await using backend = await startBackend(readAll());
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using drip = await connectRaw(proxy.target);
  using steady = await connectRaw(proxy.target);
  // A backend hears of an upload with its first byte.
  await Promise.all([drip.send(`${UPLOAD}x`), steady.send(`${UPLOAD.replace('/upload', '/steady')}x`)]);
  await backend.requestCount(2);
  for (let second = 0; second < 40; second++) {
    if (second % 9 === 0) await drip.send('x');
    await steady.send('x'.repeat(240));
    await passSecond(proxy);
  }
  assert.equal((await drip.answer()).status, 408);
  const { reason, timeout } = await proxy.lines.next({ path: '/upload' });
  assert.deepEqual(
    [reason, timeout],
    ['client_timeout', { name: 'minUploadRate', ms: 30_000, origin: 'default' }],
  );
  assert.equal(proxy.lines.find({ path: '/steady' }).length, 0);
});

/** Reads the body as it comes, and answers behind its end. */
function readAll(): Behaviour {
  return async request => {
    await request.body();
    return 'over' as const;
  };
}

test('an upload that the backend holds up is no fault of its client', async () => {
  await using backend = await startBackend(readNothing());
  await using proxy = await startOnFakeClock(
    forwardTo([backend.address], {
      listener: { timeouts: { bodyIdle: 'off' } },
      route: { timeouts: { responseHead: 'off' } },
    }),
  );
  using client = await connectRaw(proxy.target);
  void client.send(formatRequest('/held', { method: 'POST', body: Buffer.alloc(32 * MIB) }));
  await backend.requestCount(1);
  for (let before = -1; before !== proxy.traffic.buffers.bytes || before === 0; await setTimeout(20))
    before = proxy.traffic.buffers.bytes; // until the sockets on both sides are full
  for (let count = 0; count < 300; count++) await passSecond(proxy);
  assert.equal(proxy.lines.find({ path: '/held' }).length, 0);
  assert.notEqual(proxy.traffic.buffers.bytes, 0, 'and it is in the account');
});

test('a client that takes a response far below the minimum rate is cut off, however regularly it reads', async () => {
  await using backend = await startBackend(answer({ body: Buffer.alloc(200 * MIB) }));
  await using proxy = await startOnFakeClock(
    forwardTo([backend.address], { listener: { limits: { minDownloadRate: '1MiB/s' } } }),
  );
  using client = await connectRaw(proxy.target);
  await client.send(formatRequest('/large'));
  let read = 0;
  const cut = client
    .answer('GET', async chunk => {
      read += chunk.length;
      while (read > allowed) await turn();
    })
    .then(
      () => 'whole',
      (error: unknown) => (error instanceof TruncatedAnswer ? 'cut' : String(error)),
    );
  let allowed = 0;
  const ended = () => proxy.lines.find({ path: '/large' }).at(0);
  for (let second = 0; second < 200 && ended() === undefined; second++) {
    allowed += MIB / 4;
    await passSecond(proxy);
  }
  allowed = Number.POSITIVE_INFINITY;
  assert.equal(await cut, 'cut');
  assert.deepEqual([ended()?.reason, timerOf(ended())], ['client_timeout', 'minDownloadRate']);
});

test('streams that a client opens a few bytes at a time are cut off, and pings are no progress', async () => {
  await using backend = await startBackend(answer({ body: Buffer.alloc(12_000) }));
  await using proxy = await startOnFakeClock(forwardTo([backend.address]), { protocol: 'http2' });
  using client = connectFrames(proxy.target); // with a window of 64 KB for all its streams
  for (let stream = 1; stream < 2 * 20; stream += 2) client.headers(stream, 'GET', '/dripped', true);
  const left = () =>
    proxy.lines.find({ path: '/dripped' }).filter(({ reason }) => reason === 'client_timeout');
  await backend.requestCount(20);
  // 20 streams: bodyIdle alone would wait for 10 minutes.
  for (let second = 0; second < 60 && left().length === 0; second++) {
    client.widen(5);
    for (let pings = 0; pings < 50; pings++) client.ping();
    await passSecond(proxy);
  }
  assert.notEqual(left().length, 0);
  assert.equal(timerOf(left()[0]), 'minDownloadRate');
});

test('an event stream, a slow backend and a silent tunnel have no minimum', async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const events: Behaviour = async ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    await never;
    return 'over' as const;
  };
  await using backend = await startBackend(
    inTurn(
      events,
      after(never, answer()),
      tunnel(() => {}),
    ),
  );
  await using proxy = await startOnFakeClock(
    forwardTo([backend.address], {
      listener: {
        limits: { minUploadRate: '1MiB/s', minDownloadRate: '1MiB/s' },
        timeouts: { request: 'off' },
      },
      route: { timeouts: { responseHead: 'off', responseIdle: 'off', tunnelIdle: 'off' } },
    }),
  );
  using stream = await connectRaw(proxy.target);
  await stream.send(formatRequest('/events'));
  assert.equal((await stream.head()).status, 200);
  using patient = await connectRaw(proxy.target);
  await patient.send(formatRequest('/slow'));
  await backend.requestCount(2);
  using tunnelled = await connectRaw(proxy.target);
  await tunnelled.send(HANDSHAKE);
  assert.equal((await tunnelled.head()).status, 101);
  for (let count = 0; count < 600; count++) await passSecond(proxy);
  assert.equal(proxy.traffic.active.size, 3);
});

test('in real time, too: a body that drips is answered with 408, and the metric has it', async () => {
  await using backend = await startBackend(readAll());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { limits: { minUploadRate: '1KiB/s' }, timeouts: { bodyIdle: '500ms' } },
    }),
  );
  using client = await connectRaw(proxy.target());
  await client.send(UPLOAD);
  const drip = setInterval(() => void client.send('x'), 50);
  try {
    assert.equal((await client.answer()).status, 408);
  } finally {
    clearInterval(drip);
  }
  const { reason, timeout } = await proxy.lines.next({ path: '/upload' });
  assert.deepEqual([reason, (timeout as { name: string }).name], ['client_timeout', 'minUploadRate']);
  const { text } = await proxy.report.metrics('');
  assert.match(text, /^fairlead_failures_total\{reason="client_timeout",route="all"\} 1$/m);
});

test('readers that take nothing have no more memory together than process.bufferedBytes, and others are served', async () => {
  const CLIENTS = 24;
  await using backend = await startBackend(request =>
    answer({ body: request.target === '/large' ? Buffer.alloc(16 * MIB) : 'small' })(request),
  );
  await using proxy = await startProxy(forwardTo([backend.address], { process: { bufferedBytes: '1MiB' } }));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectRaw(proxy.target())));
  try {
    for (const client of clients) {
      client.socket.pause();
      await client.send(formatRequest('/large'));
    }
    const { status, detail } = await proxy.lines.next({ path: '/large', reason: 'overloaded' });
    assert.deepEqual([status, detail], [200, 'buffered_bytes'], 'its head was out already');
    assert.equal((await fetchRaw(proxy.target(), '/small')).text, 'small');
    const { text } = await proxy.report.metrics('');
    const held = Number(/^fairlead_buffered_bytes (\d+)$/m.exec(text)?.[1]);
    assert.ok(held > 0 && held <= MIB, `${held}`);
    assert.match(text, /^fairlead_overload_shed_total\{signal="buffered_bytes"\} [1-9]/m);
  } finally {
    for (const client of clients) client.destroy();
  }
  while (proxy.report.status().requests.active > 0) await turn();
  assert.equal(proxy.proxy.runtime.traffic.buffers.bytes, 0, 'and nothing of it is left');
});

test('one client address has as many tunnels as tunnelsPerIp allows, handshakes included, and another one its own', async () => {
  await using backend = await startBackend(tunnel(() => {}));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { limits: { tunnelsPerIp: 2 }, trustedProxies: ['127.0.0.9/32'] },
    }),
  );
  const balancer = { ...proxy.target(), localAddress: '127.0.0.9' };
  const handshakeFor = (ip: string) =>
    formatRequest('/tunnel', {
      headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-Forwarded-For', ip],
    });
  const ask = async (ip: string) => {
    const client = await connectRaw(balancer);
    await client.send(handshakeFor(ip));
    return { client, status: (await client.head()).status };
  };
  const greedy = [await ask('192.0.2.1'), await ask('192.0.2.1'), await ask('192.0.2.1')];
  const other = await ask('192.0.2.2');
  assert.deepEqual(
    [...greedy, other].map(({ status }) => status),
    [101, 101, 429, 101],
  );
  assert.equal((await proxy.lines.next({ status: 429 })).reason, 'too_many_tunnels');
  greedy[0]?.client.reset();
  await proxy.lines.next({ status: 101 });
  const again = await ask('192.0.2.1');
  assert.equal(again.status, 101, 'one has made room');
  for (const { client } of [...greedy, other, again]) client.reset();
});

test('a load balancer that names no client has as many tunnels as it wants', async () => {
  await using backend = await startBackend(tunnel(() => {}));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { limits: { tunnelsPerIp: 1 }, trustedProxies: ['127.0.0.0/8'] },
    }),
  );
  using first = await connectRaw(proxy.target());
  using second = await connectRaw(proxy.target());
  for (const client of [first, second]) {
    await client.send(HANDSHAKE);
    assert.equal((await client.head()).status, 101);
  }
  for (const client of [first, second]) client.reset();
});

test('handshakes that a backend does not answer count as tunnels', async () => {
  await using backend = await startBackend(readNothing());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { limits: { tunnelsPerIp: 3 } } }),
  );
  const crowd = await Promise.all(Array.from({ length: 3 }, () => connectRaw(proxy.target())));
  for (const client of crowd) await client.send(HANDSHAKE);
  await backend.requestCount(3);
  using last = await connectRaw(proxy.target());
  await last.send(HANDSHAKE);
  assert.equal((await last.answer()).status, 429);
  for (const client of crowd) client.destroy();
});

for (const [what, piece] of Object.entries({
  'chunks of one byte': '1\r\nx\r\n',
  'chunk extensions': `1;${'e'.repeat(10_000)}\r\nx\r\n`,
})) {
  test(`an upload of ${what} is refused before it fills the memory, also while its backend takes nothing`, async () => {
    await using backend = await startBackend(readNothing());
    await using proxy = await startProxy(forwardTo([backend.address]));
    using client = await connectRaw(proxy.target());
    void client.send(`POST /crumbs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    void client.send(piece.repeat(Math.ceil(1_000_000 / piece.length)));
    const { status, detail } = await proxy.lines.next({ path: '/crumbs' });
    assert.deepEqual([status, detail], [400, 'The body comes in too many small pieces.']);
    const { text } = await proxy.report.metrics('');
    assert.match(text, /^fairlead_connections_cut_total\{listener="main",cause="flood"\} 1$/m);
  });
}

test('a client that floods and comes back gets no new connections for a while, and another client notices nothing', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address]));
  const flood = async () => {
    using client = await connectRaw({ ...proxy.target(), localAddress: '127.0.0.9' });
    void client.send(`POST /crumbs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    void client.send('1\r\nx\r\n'.repeat(60_000));
    await client.ended;
  };
  for (let time = 0; time < 32; time++) await flood();
  await flood().catch((error: NodeJS.ErrnoException) => assert.equal(error.code, 'ECONNRESET'));
  await proxy.lines.next({ event: 'connections_refused', cause: 'flooded' });
  assert.equal(proxy.lines.find({ path: '/crumbs' }).length, 32);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('DATA frames of one byte end their connection before they fill the memory', async () => {
  await using backend = await startBackend(readNothing());
  await using proxy = await startProxy(forwardTo([backend.address], { listener: { h2c: true } }));
  using client = connectFrames(proxy.target());
  const streams = [1, 3, 5, 7, 9, 11];
  for (const stream of streams) client.headers(stream, 'POST', '/crumbs', false);
  const crumbs = streams.map(stream => Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, stream, 120]));
  client.socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => crumbs).flat()));
  const { status, detail } = await proxy.lines.next({ path: '/crumbs' });
  assert.deepEqual([status, detail], [400, 'The body comes in too many small pieces.']);
});

test('an HTTP/2 client whose heads are never a request loses its connection', async () => {
  await using proxy = await startProxy(forwardTo(['127.0.0.1:1'], { listener: { h2c: true } }));
  using client = connectFrames(proxy.target());
  const closed = once(client.socket, 'close').then(() => 'closed');
  // 300 heads with more fields than anybody reads (RFC 7541 section 6.1: one byte for a field of the static table).
  for (let stream = 1; stream < 600; stream += 2) {
    const head = Buffer.alloc(9);
    head.writeUIntBE(4_000, 0, 3);
    head[3] = 1;
    head[4] = 5;
    head.writeUInt32BE(stream, 5);
    client.socket.write(Buffer.concat([head, Buffer.alloc(4_000, 0x90)]));
  }
  assert.equal(await closed, 'closed');
  const { text } = await proxy.report.metrics('');
  assert.match(text, /^fairlead_connections_cut_total\{listener="main",cause="flood"\} 1$/m);
  assert.equal(proxy.lines.find({ listener: 'main' }).filter(line => 'requestId' in line).length, 0);
});
