// Clusters that speak HTTP/2: gRPC is the test of everything at once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import * as certificates from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';

checkLeaks();

type Handler = (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

interface BackendKind {
  readonly tls?: boolean;
  /** Of the cluster. */
  readonly pool?: Record<string, unknown>;
  readonly settings?: http2.Settings;
  /** Of the cluster, as they stand there. */
  readonly retryBudget?: Record<string, unknown>;
  readonly listener?: Record<string, unknown>;
}

async function withBackend(
  handler: Handler,
  use: (proxy: ProxyInProcess, sessions: Set<ServerHttp2Session>) => Promise<void>,
  { tls = false, pool = {}, settings = {}, retryBudget = {}, listener = {} }: BackendKind = {},
): Promise<void> {
  const server: Http2Server = tls
    ? (http2.createSecureServer({
        cert: certificates.server.cert,
        key: certificates.server.key,
      }) as unknown as Http2Server)
    : http2.createServer({ settings, strictSingleValueFields: false } as http2.ServerOptions);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', session => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    handler(stream as ServerHttp2Stream, headers);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cluster = tls
    ? { protocol: 'http2', tls: { caFile: certificates.caFile, serverName: 'localhost' } }
    : { protocol: 'h2c' };
  const proxy = await startProxy(
    forwardTo([`127.0.0.1:${port}`], {
      cluster: { ...cluster, pool, retryBudget },
      listener: { h2c: true, ...listener },
    }),
  );
  try {
    await use(proxy, sessions);
  } finally {
    await proxy.stop();
    for (const session of sessions) session.destroy();
    await new Promise(resolve => server.close(resolve));
  }
}

for (const tls of [false, true]) {
  test(`requests of both protocols reach a backend that speaks HTTP/2 ${tls ? 'over TLS' : 'in clear'}`, async () => {
    await withBackend(
      (stream, headers) => {
        stream.respond({ ':status': 200, 'x-path': headers[':path'], 'x-authority': headers[':authority'] });
        stream.pipe(stream);
      },
      async proxy => {
        const one = await fetchRaw(proxy.target(), '/a?b', { method: 'POST', body: 'over one' });
        assert.deepEqual(
          [one.status, one.text, value(one.headers, 'x-path'), value(one.headers, 'x-authority')],
          [200, 'over one', '/a?b', 'app.test'],
        );
        const client = await connectHttp2(proxy.target());
        const two = await client.request('/c', { ':method': 'POST' }, 'over two').answer;
        assert.deepEqual([two.status, two.text], [200, 'over two']);
        await client.close();
      },
      { tls },
    );
  });
}

test('a gRPC call streams both ways at once and ends with trailers', async () => {
  await withBackend(
    (stream, headers) => {
      assert.equal(headers.te, 'trailers');
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.on('data', chunk => stream.write(`echo ${chunk}`));
      stream.on('end', () => stream.end());
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const { stream, answer } = client.request(
        '/svc/Method',
        { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc' },
        'open',
      );
      const replies: string[] = [];
      const reply = (): Promise<void> =>
        new Promise(resolve => stream.once('data', chunk => resolve(void replies.push(String(chunk)))));
      for (const word of ['one', 'two', 'three']) {
        const next = reply();
        stream.write(word);
        await next; // the answer to each message comes while the request is still open
      }
      stream.end();
      const got = await answer;
      assert.deepEqual(replies, ['echo one', 'echo two', 'echo three']);
      assert.equal(value(got.trailers ?? [], 'grpc-status'), '0');
      assert.equal(got.rstCode, 0);
      await client.close();
    },
  );
});

test('a gRPC call that the server ends first has its trailers, although the client would still send', async () => {
  await withBackend(
    stream => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '7' }));
      stream.end('no more, please');
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const { answer } = client.request('/svc/Method', { ':method': 'POST', te: 'trailers' }, 'open');
      const { text, trailers, rstCode } = await answer;
      assert.deepEqual([text, trailers, rstCode], ['no more, please', ['grpc-status', '7'], 0]);
      await client.close();
    },
  );
});

test('many requests share one session', async () => {
  await withBackend(
    stream => stream.respond({ ':status': 204 }, { endStream: true }),
    async (proxy, sessions) => {
      const client = await connectHttp2(proxy.target());
      const answers = await Promise.all(Array.from({ length: 50 }, () => client.request('/').answer));
      assert.ok(answers.every(({ status }) => status === 204));
      assert.equal(sessions.size, 1);
      await client.close();
    },
  );
});

test('a stream that the backend resets before the head is repeated, in the middle it is cut', async () => {
  let calls = 0;
  await withBackend(
    stream => {
      calls++;
      if (calls === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else if (calls === 2) stream.respond({ ':status': 200 }, { endStream: true });
      else {
        stream.respond({ ':status': 200 });
        stream.write('half', () => stream.session?.destroy());
      }
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      assert.equal((await client.request('/').answer).status, 200);
      assert.notEqual((await client.request('/').answer).rstCode, 0, 'it does not look whole');
      await proxy.lines.next({ reason: 'reset_in_body' });
      await client.close();
    },
  );
});

test('streams that a session refuses because it goes away cost neither a response nor retry budget', async () => {
  let streams = 0;
  await withBackend(
    stream => {
      if (++streams % 10 === 0) stream.session?.close();
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const all = Array.from({ length: 20 }, () => client.request('/').answer);
      assert.deepEqual(
        (await Promise.all(all)).map(({ status }) => status),
        all.map(() => 200),
      );
      await client.close();
    },
    { retryBudget: { ratio: 0, minPerSecond: 0 } },
  );
});

test('a session that goes away is replaced', async () => {
  await withBackend(
    stream => stream.respond({ ':status': 200 }, { endStream: true }),
    async (proxy, sessions) => {
      assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
      for (const session of sessions) session.close(); // GOAWAY
      for (let count = 0; count < 5; count++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
      assert.equal(sessions.size, 2);
    },
  );
});

test('a session that may take no more requests does not stand in the way of the next one', async () => {
  const ends = new Map<string, () => void>();
  await withBackend(
    (stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] === '/long') ends.set('/long', () => stream.end('at last'));
      else stream.end();
    },
    async (proxy, sessions) => {
      const client = await connectHttp2(proxy.target());
      const long = client.request('/long');
      await long.head;
      for (let count = 0; count < 5; count++)
        assert.equal((await client.request('/').answer).status, 200, `request ${count}`);
      assert.equal(sessions.size, 3, 'two requests on each');
      ends.get('/long')?.();
      assert.equal((await long.answer).text, 'at last');
      await client.close();
    },
    { pool: { connections: 1, maxRequests: 2, queueTimeout: '500ms' } },
  );
});

test('a request that waits for a stream gets one as soon as GOAWAY lets another connection open', async () => {
  const ends: (() => void)[] = [];
  await withBackend(
    (stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] === '/long') ends.push(() => stream.end());
      else stream.end();
    },
    async (proxy, sessions) => {
      const client = await connectHttp2(proxy.target());
      const long = client.request('/long');
      await long.head;
      const waiting = client.request('/waits').answer;
      const ping = Promise.withResolvers<void>();
      client.session.ping(() => ping.resolve());
      await ping.promise; // it waits by now
      for (const session of sessions) session.goaway(0, 2 ** 31 - 1);
      assert.equal((await waiting).status, 200);
      for (const end of ends) end();
      await long.answer;
      await client.close();
    },
    { settings: { maxConcurrentStreams: 1 }, pool: { connections: 1, queueTimeout: '2s' } },
  );
});

test('a connection whose other end has vanished without a word is left for a new one', async () => {
  const server = http2.createServer();
  server.on('stream', stream =>
    (stream as ServerHttp2Stream).respond({ ':status': 200 }, { endStream: true }),
  );
  server.listen(0, '127.0.0.1');
  const sockets: Socket[] = [];
  const firewall = net.createServer(client => {
    const backend = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(client, backend);
    client.pipe(backend).pipe(client);
  });
  firewall.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(firewall, 'listening')]);
  const proxy = await startProxy(
    forwardTo([`127.0.0.1:${(firewall.address() as AddressInfo).port}`], {
      cluster: { protocol: 'h2c', pool: { connectTimeout: '200ms' } },
      route: { timeouts: { responseHead: '100ms' }, retries: { attempts: 0 } },
    }),
  );
  const status = async () => (await fetchRaw(proxy.target(), '/')).status;
  assert.equal(await status(), 200);
  for (const socket of sockets) socket.unpipe().pause();
  assert.deepEqual([await status(), await status()], [504, 200], 'one request has found out');
  await proxy.stop();
  for (const socket of sockets) socket.destroy();
  await Promise.all([server, firewall].map(one => new Promise(resolve => one.close(resolve))));
});

test('fields that a backend sends twice reach clients of both protocols, in head and trailers', async () => {
  const twice: Record<string, string[]> = { etag: ['"a"', '"b"'] };
  await withBackend(
    stream => {
      stream.additionalHeaders({ ...twice, ':status': 103 });
      stream.respond({ ...twice, ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(twice));
      stream.end('whole');
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const answers = [
        await client.request('/').answer,
        await fetchRaw(proxy.target(), '/', { headers: ['TE', 'trailers'] }),
      ];
      for (const { text, headers, trailers, information } of answers) {
        const all = [headers, trailers ?? [], information[0]?.headers ?? []];
        const tags = all.map(list =>
          list.filter((_, at) => at > 0 && list[at - 1]?.toLowerCase() === 'etag'),
        );
        assert.deepEqual([text, tags], ['whole', Array(3).fill(twice['etag'])]);
      }
      await client.close();
    },
  );
});

const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

test('a gRPC call that fails at once (Trailers-Only) ends with its head, and its status is in the log', async () => {
  await withBackend(
    (stream, headers) => {
      stream.resume();
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': '5',
          'x-path': headers[':path'],
        },
        { endStream: true },
      );
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const { stream, answer } = client.request('/a.B/C', GRPC, 'message');
      const flags = new Promise<number>(resolve => stream.on('response', (_fields, seen) => resolve(seen)));
      assert.equal((await flags) & http2.constants.NGHTTP2_FLAG_END_STREAM, 1, 'the head ends the stream');
      const given = await answer;
      assert.deepEqual([given.status, given.trailers, value(given.headers, 'grpc-status')], [200, null, '5']);
      assert.equal((await proxy.lines.next({ path: '/a.B/C' })).grpcStatus, 5);
      await client.close();
    },
  );
});

test('the status that a gRPC call ends with is in the log', async () => {
  await withBackend(
    stream => {
      stream.resume();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '8' }));
      stream.end('message');
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      assert.deepEqual((await client.request('/a.B/C', GRPC, 'm').answer).trailers, ['grpc-status', '8']);
      assert.equal((await proxy.lines.next({ path: '/a.B/C' })).grpcStatus, 8);
      await client.close();
    },
  );
});

test('a failure of the proxy is a gRPC status to a gRPC client, with the reason', async () => {
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], { cluster: { protocol: 'h2c' }, listener: { h2c: true } }),
  );
  const client = await connectHttp2(proxy.target());
  const { stream, answer } = client.request('/a.B/C', GRPC, 'message');
  const flags = new Promise<number>(resolve => stream.on('response', (_fields, seen) => resolve(seen)));
  assert.equal((await flags) & http2.constants.NGHTTP2_FLAG_END_STREAM, 1);
  const { status, headers } = await answer;
  assert.deepEqual([status, value(headers, 'grpc-status')], [200, '14']);
  assert.match(value(headers, 'grpc-message') ?? '', /^connect_refused: .* \(request \S+\)$/);
  assert.match(value(headers, 'proxy-status') ?? '', /error=connection_refused/);
  const line = await proxy.lines.next({ reason: 'connect_refused' });
  assert.deepEqual([line.status, line.grpcStatus], [200, 14]);
  assert.equal((await client.request('/').answer).status, 502, 'others get the status of HTTP');
  const web = { ':method': 'POST', 'content-type': 'application/grpc-web+proto' };
  assert.equal((await client.request('/a.B/C', web, '').answer).status, 502, 'so do clients of gRPC-Web');
  const overHttp1 = { method: 'POST', headers: ['Content-Type: application/grpc'], body: 'message' };
  assert.equal((await fetchRaw(proxy.target(), '/a.B/C', overHttp1)).status, 502, 'gRPC needs HTTP/2');
  await client.close();
});

test('a burst on a cold connection loses nothing, however few streams the backend takes', async () => {
  await withBackend(
    stream => {
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('done');
      });
    },
    async (proxy, sessions) => {
      const client = await connectHttp2(proxy.target());
      const given = await Promise.all(
        Array.from({ length: 100 }, () => client.request('/', { ':method': 'POST' }, 'x').answer),
      );
      assert.deepEqual([...new Set(given.map(({ status }) => status))], [200]);
      assert.ok(sessions.size <= 2, `${sessions.size} connections`);
      await client.close();
    },
    {
      settings: { maxConcurrentStreams: 5 },
      pool: { connections: 2, queueTimeout: '10s' },
      retryBudget: { ratio: 0.01, minPerSecond: 1 },
    },
  );
});

test('a backend that refuses streams is neither ejected nor out of retries', async () => {
  let seen = 0;
  await withBackend(
    stream => {
      seen++;
      if (seen <= 20) {
        stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    async proxy => {
      const given = [];
      for (let count = 0; count < 30; count++) given.push((await fetchRaw(proxy.target(), '/')).status);
      assert.equal(given.at(-1), 200);
      assert.deepEqual(proxy.lines.find({ event: 'health_changed', to: 'ejected' }), []);
      assert.deepEqual(proxy.lines.find({ retryRefused: 'budget_empty' }), []);
    },
    { retryBudget: { ratio: 0.01, minPerSecond: 1 } },
  );
});

test('a response of many fields and a request head above 64 KiB pass an HTTP/2 backend', async () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`x-field-${at}`, 'value']));
  await withBackend(
    (stream, headers) => {
      const seen = ['x-a', 'x-b', 'x-c'].map(name => String(headers[name]).length).join(' ');
      stream.respond({ ':status': 200, ...many, 'x-seen': seen }, { endStream: true });
    },
    async proxy => {
      const given = await fetchRaw(proxy.target(), '/', {
        headers: ['Host', 'a', ...['X-A', 'X-B', 'X-C'].flatMap(name => [name, 'x'.repeat(30_000)])],
      });
      assert.deepEqual([given.status, value(given.headers, 'x-seen')], [200, '30000 30000 30000']);
      assert.equal(given.headers.filter(name => name.startsWith('x-field-')).length, 400);
      const single = await fetchRaw(proxy.target(), '/', {
        headers: ['Host', 'a', 'X-A', 'x'.repeat(70_000)],
      });
      assert.equal(single.status, 431, 'a single field that no HTTP/2 server takes');
      assert.deepEqual(proxy.lines.find({ event: 'health_changed' }), []);
    },
    { listener: { limits: { headBytes: '128KiB' } }, settings: { maxHeaderListSize: 200_000 } },
  );
});

test('a request without a host reaches an HTTP/2 backend under the name of the endpoint', async () => {
  await withBackend(
    (stream, headers) =>
      stream.respond({ ':status': 200, 'x-authority': headers[':authority'] }, { endStream: true }),
    async proxy => {
      using client = await connectRaw(proxy.target());
      await client.send('GET / HTTP/1.0\r\n\r\n');
      const { status, headers } = await client.answer();
      assert.equal(status, 200);
      assert.match(value(headers, 'x-authority') ?? '', /^127\.0\.0\.1:\d+$/);
    },
  );
});

test('a client that leaves early does not end the requests of others on its connection', async () => {
  const streams = new Map<string, ServerHttp2Stream>();
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    streams.set(String(headers[':path']), stream as ServerHttp2Stream);
    if (headers[':path'] !== '/slow') return;
    (stream as ServerHttp2Stream).respond({ ':status': 200 });
    stream.write('first');
  });
  server.listen(0, '127.0.0.1');
  const pairs: Socket[][] = [];
  const firewall = net.createServer(client => {
    const backend = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    pairs.push([client, backend]);
    client.pipe(backend).pipe(client);
    for (const socket of [client, backend]) socket.on('error', () => {});
  });
  firewall.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(firewall, 'listening')]);
  const proxy = await startProxy(
    forwardTo([`127.0.0.1:${(firewall.address() as AddressInfo).port}`], {
      cluster: { protocol: 'h2c', pool: { connectTimeout: '100ms' } },
      listener: { h2c: true },
      route: { timeouts: { responseHead: '400ms' }, retries: { attempts: 0 } },
    }),
  );
  const client = await connectHttp2(proxy.target());
  const slow = client.request('/slow');
  assert.equal((await slow.head).status, 200);
  const gone = client.request('/gone');
  await new Promise(resolve => client.session.ping(resolve)); // it has been forwarded
  const [first = []] = pairs;
  for (const socket of first) socket.unpipe().pause(); // no PING comes through
  gone.stream.close(http2.constants.NGHTTP2_CANCEL);
  await proxy.lines.next({ path: '/gone', status: 499 });
  // Four times as long as the PING may take; and on another connection, for this one is in doubt.
  assert.equal((await client.request('/unanswered').answer).status, 504);
  assert.equal(pairs.length, 2);
  const [inner, outer] = first;
  assert.ok(inner && outer);
  inner.pipe(outer).pipe(inner);
  streams.get('/slow')?.end(' last');
  assert.equal((await slow.answer).text, 'first last');
  await client.close();
  await proxy.stop();
  for (const socket of pairs.flat()) socket.destroy();
  await Promise.all([server, firewall].map(one => new Promise(resolve => one.close(resolve))));
});

test('a gRPC call that is half-closed without a message is answered at once', async () => {
  await withBackend(
    stream => {
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end();
      });
      stream.resume();
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const fields = { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc' };
      // HEADERS and the empty DATA frame that ends the stream arrive in one packet.
      const { status, trailers } = await client.request('/s.S/Stream', fields, '').answer;
      assert.deepEqual([status, value(trailers ?? [], 'grpc-status')], [200, '0']);
      await client.close();
    },
  );
});

test('fields of framing in the trailers of an HTTP/2 backend are dropped, the others arrive; 204 has no length', async () => {
  await withBackend(
    (stream, headers) => {
      if (headers[':path'] === '/empty') {
        stream.respond({ ':status': 204, 'content-length': '0' }, { endStream: true });
        return;
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'content-length': '5', host: 'other.test', trailer: 'x-sum', 'x-sum': '7' }),
      );
      stream.end('whole');
    },
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const two = await client.request('/').answer;
      assert.deepEqual([two.text, two.trailers], ['whole', ['x-sum', '7']]);
      const empty = await client.request('/empty').answer;
      assert.deepEqual([empty.status, value(empty.headers, 'content-length')], [204, null]);
      const one = await fetchRaw(proxy.target(), '/');
      assert.deepEqual([one.text, one.trailers], ['whole', ['x-sum', '7']]);
      const emptyOne = await fetchRaw(proxy.target(), '/empty');
      assert.deepEqual([emptyOne.status, value(emptyOne.headers, 'content-length')], [204, null]);
      await client.close();
    },
  );
});
