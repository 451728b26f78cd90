// Clients and backends that do what nobody should: each costs its own request, and says why.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { after, answer, raw, staySilent } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { connectFrames, serveFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const HANDSHAKE =
  'GET /t HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const H2C = { listener: { h2c: true } };

for (const [name, code] of Object.entries({ 'no error': 0, cancel: 8 })) {
  test(`an upload that an HTTP/2 client resets with ${name} is not whole for the backend`, async () => {
    const wholes: boolean[] = [];
    const reading: Behaviour = async request => {
      const { complete } = await request.body();
      wholes.push(complete);
      return 'over' as const;
    };
    await using backend = await startBackend(reading);
    await using proxy = await startProxy(forwardTo([backend.address], H2C));
    using client = connectFrames(proxy.target());
    client.headers(1, 'POST', '/upload', false);
    client.data(1, 10_000);
    await backend.requestCount(1);
    client.resetStream(1, code);
    assert.equal((await proxy.lines.next({ path: '/upload' })).reason, 'client_gone');
    await backend.noConnections();
    assert.deepEqual(wholes, [false]);
  });
}

test('a stream that is reset while its request waits for another attempt gets no response, and harms no other', async () => {
  const { promise: gate, resolve: reset } = Promise.withResolvers<void>();
  await using backend = await startBackend(async request => {
    if (request.number > 1) return 'taken' as const;
    await gate;
    request.socket.resetAndDestroy();
    return 'taken' as const;
  });
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      ...H2C,
      cluster: { pool: { connections: 1, queueTimeout: '300ms' } },
      route: { retries: { attempts: 1, on: ['reset'], backoff: { base: '1ms', max: '1ms' } } },
    }),
  );
  using client = connectFrames(proxy.target());
  client.headers(1, 'PUT', '/waits', false);
  client.data(1, 100);
  await backend.requestCount(1);
  client.headers(3, 'GET', '/holds-the-connection', true);
  client.ping();
  await client.ponged;
  reset();
  await backend.requestCount(2);
  client.data(1, 1_000);
  client.resetStream(1, 0);
  assert.equal((await proxy.lines.next({ path: '/waits' })).reason, 'client_gone');
  client.socket.end();
  await proxy.lines.next({ path: '/holds-the-connection' });
  assert.deepEqual(proxy.lines.find({ event: 'defect' }), []);
});

test('an HTTP/2 client whose connection ends is gone, as one of HTTP/1.1 is', async () => {
  await using backend = await startBackend(staySilent());
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  using client = connectFrames(proxy.target());
  client.headers(1, 'GET', '/left', true);
  await backend.requestCount(1);
  client.socket.end();
  await backend.noConnections();
  assert.equal((await proxy.lines.next({ path: '/left' })).reason, 'client_gone');
});

test('while a load balancer is given time to notice, HTTP/2 clients are still served', async () => {
  await using backend = await startBackend(answer({ body: 'served' }));
  const proxy = await startProxy(
    forwardTo([backend.address], { ...H2C, process: { drain: { delay: '1s', timeout: '5s' } } }),
  );
  const stopping = proxy.stop();
  await proxy.lines.next({ event: 'phase_changed', to: 'lame_duck' });
  const client = await connectHttp2(proxy.target());
  assert.equal((await client.request('/').answer).text, 'served');
  await client.goAway;
  await client.close();
  await stopping;
});

for (const [what, bytes] of Object.entries({
  garbage: '\x01\x02garbage',
  'a request of another version': 'GET /b HTTP/2.0\r\nHost: a\r\n\r\n',
  'a WebSocket handshake': HANDSHAKE,
  CONNECT: 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
})) {
  test(`${what} behind a request that is still to be answered does not cost that one its answer`, async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using backend = await startBackend(after(gate, answer({ body: 'good' })));
    await using proxy = await startProxy(forwardTo([backend.address]));
    using client = await connectRaw(proxy.target());
    await client.send(Buffer.concat([formatRequest('/good'), Buffer.from(bytes)]));
    await backend.requestCount(1);
    open();
    assert.equal((await client.answer()).text, 'good');
    assert.equal(await client.ended, 'end');
    assert.equal((await proxy.lines.next({ path: '/good' })).reason, null);
    assert.equal(backend.requests.length, 1);
  });
}

test('a client that leaves after an early refusal of its upload has one line in the log', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { limits: { bodyBytes: '9B' } } }),
  );
  using client = await connectRaw(proxy.target());
  await client.send('POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nxx');
  assert.equal((await client.answer()).status, 413);
  client.finish();
  await client.ended;
  await fetchRaw(proxy.target(), '/next');
  await proxy.lines.next({ path: '/next' });
  const requests = proxy.lines.find({}).filter(line => 'requestId' in line);
  assert.deepEqual(
    requests.map(({ path, reason }) => [path, reason]),
    [
      ['/large', 'body_too_large'],
      ['/next', null],
    ],
  );
});

for (const [what, phrase] of Object.entries({
  'a control character': 'OK\x01',
  'another script': 'Не найдено',
  'another alphabet': Buffer.from('Não', 'latin1'),
})) {
  test(`a reason phrase in ${what} does not cost the answer`, async () => {
    const head = Buffer.concat([
      Buffer.from('HTTP/1.1 404 '),
      Buffer.from(phrase),
      Buffer.from('\r\nContent-Length: 4\r\n\r\nbody'),
    ]);
    await using backend = await startBackend(raw(head));
    await using proxy = await startProxy(forwardTo([backend.address]));
    for (const method of ['GET', 'OPTIONS']) {
      const { status, text } = await fetchRaw(proxy.target(), method === 'GET' ? '/' : '*', { method });
      assert.deepEqual([status, text], [404, 'body'], method);
    }
    assert.deepEqual(proxy.lines.find({ event: 'defect' }), []);
  });
}

for (const [what, bytes] of Object.entries({
  'a WebSocket handshake': HANDSHAKE.replace('\r\n\r\n', '\r\nTrailer: x\r\n\r\n'),
  'OPTIONS *': 'OPTIONS * HTTP/1.1\r\nHost: a\r\nTrailer: x\r\n\r\n',
})) {
  test(`${what} that announces trailers reaches the backend without the announcement`, async () => {
    await using backend = await startBackend(answer({ status: 404 }));
    await using proxy = await startProxy(forwardTo([backend.address]));
    using client = await connectRaw(proxy.target());
    await client.send(bytes);
    assert.equal((await client.answer()).status, 404);
    assert.equal(value(backend.requests[0]?.headers ?? [], 'trailer'), null);
  });
}

for (const status of [204, 304]) {
  test(`an answer ${status} that announces trailers is whole without them`, async () => {
    await using backend = await startBackend(answer({ status, headers: ['Trailer', 'x'] }));
    await using proxy = await startProxy(forwardTo([backend.address]));
    assert.equal((await fetchRaw(proxy.target(), '/')).status, status);
  });
}

test('an unsolicited 101 is a bad response', async () => {
  const switching = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  await using backend = await startBackend(raw(switching));
  await using proxy = await startProxy(forwardTo([backend.address]));
  for (const [method, target] of [
    ['OPTIONS', '*'],
    ['GET', '/'],
  ] as const)
    assert.equal((await fetchRaw(proxy.target(), target, { method })).status, 502, method);
});

test('a request and a broken frame in one packet cost that connection only', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  using client = connectFrames(proxy.target());
  client.socket.cork();
  client.headers(1, 'GET', '/', true);
  client.data(99, 1); // of a stream that was never opened
  client.socket.uncork();
  await once(client.socket, 'close');
  assert.equal((await fetchRaw(proxy.target(), '/next')).status, 200);
});

test('a client that says goodbye, breaks the protocol and takes nothing is forgotten, and a drain does not wait for it', async () => {
  await using backend = await startBackend(answer({ body: 'x'.repeat(99) }));
  await using proxy = await startProxyProcess(
    forwardTo([backend.address], { listener: { h2c: true, timeouts: { bodyIdle: '200ms' } } }),
  );
  using client = connectFrames(proxy.target(), { initialWindowBytes: 0 });
  client.headers(1, 'GET', '/untaken', true);
  await backend.requestCount(1);
  client.goAway();
  client.data(99, 1);
  client.socket.end();
  assert.equal((await proxy.lines.next({ path: '/untaken' })).status, 200);
  proxy.signal('SIGTERM');
  assert.equal(await proxy.ended, 0);
});

test('interim answers without end cost neither memory nor the answer', async () => {
  const hints = Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000));
  const last = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
  await using backend = await startBackend(raw(Buffer.concat([hints, last])));
  await using proxy = await startProxy(forwardTo([backend.address]));
  const { information, text } = await fetchRaw(proxy.target(), '/');
  assert.deepEqual([information.length, text], [16, 'done']);
});

test('a large answer waits for its turn behind a slow one, whatever bodyIdle is', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const BYTES = { '/large': 1024 * 1024, '/never-read': 64 * 1024 * 1024 };
  await using backend = await startBackend(request =>
    request.target === '/slow'
      ? after(gate, answer({ body: 'slow' }))(request)
      : answer({ body: Buffer.alloc(BYTES[request.target as keyof typeof BYTES]) })(request),
  );
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { timeouts: { bodyIdle: '50ms' } } }),
  );
  using client = await connectRaw(proxy.target());
  await client.send(Buffer.concat([formatRequest('/slow'), formatRequest('/large')]));
  await backend.requestCount(2);
  // One that began later and whose turn it is has been given up: the time is over for the other one, too.
  using shut = await connectRaw(proxy.target());
  shut.socket.pause();
  await shut.send(formatRequest('/never-read'));
  assert.equal((await proxy.lines.next({ path: '/never-read' })).reason, 'client_timeout');
  open();
  assert.equal((await client.answer()).text, 'slow');
  assert.equal((await client.answer()).bytes, BYTES['/large']);
});

test('an answer that an HTTP/2 backend resets without an error is not whole for the client', async () => {
  await using backend = await serveFrames((frames, stream) => {
    frames.status(stream, 200);
    frames.data(stream, 4);
    frames.resetStream(stream, 0);
  });
  await using proxy = await startProxy(
    forwardTo([backend.address], { ...H2C, cluster: { protocol: 'h2c' } }),
  );
  await assert.rejects(fetchRaw(proxy.target(), '/one'), TruncatedAnswer);
  assert.equal((await proxy.lines.next({ path: '/one' })).reason, 'reset_in_body');
  const client = await connectHttp2(proxy.target());
  assert.notEqual((await client.request('/two').answer).rstCode, 0);
  await client.close();
});

test('a head that leaves before its body has the bytes that the backend sent', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using backend = await startBackend(async request => {
    const head = 'HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 4\r\n\r\n';
    request.socket.write(Buffer.from(head, 'latin1'));
    await gate;
    request.socket.write('body');
    return 'done' as const;
  });
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  await client.send(formatRequest('/'));
  assert.equal(value((await client.head()).headers, 'x-name'), 'caf\xe9');
  open();
});

test('streams that share a slow connection wait for each other longer than bodyIdle', async () => {
  const BYTES = 12_000;
  const STREAMS = 14;
  const WINDOW = 65_535; // of the connection, for all its streams (RFC 9113 section 6.9.2)
  await using backend = await startBackend(answer({ body: Buffer.alloc(BYTES) }));
  const listener = { timeouts: { bodyIdle: '300ms' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener }), {
    protocol: 'http2',
  });
  let received = 0;
  let wake = () => {};
  using client = connectFrames(proxy.target, {
    onData(bytes) {
      received += bytes;
      wake();
    },
  });
  const has = async (bytes: number) => {
    while (received < bytes)
      await new Promise<void>(resolve => {
        wake = resolve;
      });
  };
  for (let stream = 1; stream < 2 * STREAMS; stream += 2) client.headers(stream, 'GET', '/shared', true);
  let allowed = WINDOW;
  await has(allowed);
  while (allowed < STREAMS * BYTES) {
    // Half of a response in half of bodyIdle, so that each takes bodyIdle at most, and waits so long for each of the others.
    proxy.clock.advance(150);
    allowed += BYTES / 2;
    client.widen(BYTES / 2);
    await has(Math.min(allowed, STREAMS * BYTES));
  }
  await proxy.lines.next({ path: '/shared' }, STREAMS);
  assert.deepEqual(
    proxy.lines.find({ path: '/shared' }).map(({ reason }) => reason),
    Array(STREAMS).fill(null),
  );
});

test('what comes behind an upgrade that is ignored is not answered with the answer to something else', async () => {
  await using backend = await startBackend(async request => answer({ body: request.target })(request));
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  const upgrade = formatRequest('/a', { headers: ['Connection', 'Upgrade', 'Upgrade', 'h2c'] });
  for (let count = 0; count < 3; count++) {
    await client.send(upgrade);
    const { headers, text } = await client.answer();
    assert.deepEqual([value(headers, 'connection'), text], ['keep-alive', '/a'], 'alone it costs nothing');
  }
  await client.send(Buffer.concat([upgrade, formatRequest('/b')]));
  assert.equal((await client.answer()).text, '/a');
  assert.equal(await client.ended, 'end');
});

test('a client that leaves with answers in a row and a CONNECT behind them is gone from all of them', async () => {
  await using backend = await startBackend(staySilent());
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  await client.send(
    Buffer.concat([
      ...['/1', '/2', '/3'].map(path => formatRequest(path)),
      Buffer.from('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'),
    ]),
  );
  await backend.requestCount(3);
  client.destroy();
  for (const path of ['/1', '/2', '/3'])
    assert.equal((await proxy.lines.next({ path })).reason, 'client_gone');
  await backend.noConnections();
});

test('an HTTP/2 connection without a request ends after keepAliveIdle, whatever trickles in and whether the client closes or not', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, timeouts: { keepAliveIdle: '300ms' } } }),
  );
  const clients = [connectFrames(proxy.target()), connectFrames(proxy.target())];
  const [first] = clients;
  assert.ok(first);
  first.socket.allowHalfOpen = true; // it never closes: only a reset, because nobody is there any more, ends it
  const drip = setInterval(() => {
    for (const client of clients) client.ping();
  }, 50);
  await Promise.all(clients.map(({ socket }) => new Promise(resolve => socket.once('close', resolve))));
  clearInterval(drip);
});

test('an early answer without a body ends the upload of an HTTP/2 client', async () => {
  await using backend = await startBackend(answer({ status: 204, early: true }));
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  const client = await connectHttp2(proxy.target());
  const { stream, answer: early } = client.request('/', { ':method': 'POST' }, 'open');
  stream.write('some of it');
  const { status, rstCode } = await early;
  assert.deepEqual([status, rstCode], [204, 0]);
  assert.equal((await proxy.lines.next({ status: 204 })).reason, null);
  await client.close();
});

test('a status that is none is a bad response', async () => {
  await using backend = await startBackend(raw('HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'));
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 502);
  const client = await connectHttp2(proxy.target());
  assert.equal((await client.request('/').answer).status, 502);
  await client.close();
});
