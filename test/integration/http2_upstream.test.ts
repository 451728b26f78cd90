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
import { fetchRaw } from '../support/raw_client.ts';

checkLeaks();

type Handler = (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

interface BackendKind {
  readonly tls?: boolean;
  /** Of the cluster. */
  readonly pool?: Record<string, unknown>;
  readonly settings?: http2.Settings;
  /** Of the cluster, as they stand there. */
  readonly retryBudget?: Record<string, unknown>;
}

async function withBackend(
  handler: Handler,
  use: (proxy: ProxyInProcess, sessions: Set<ServerHttp2Session>) => Promise<void>,
  { tls = false, pool = {}, settings = {}, retryBudget = {} }: BackendKind = {},
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
    forwardTo([`127.0.0.1:${port}`], { cluster: { ...cluster, pool, retryBudget }, listener: { h2c: true } }),
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

test('streams that a session refuses because it goes away cost nobody an answer, nor the retry budget', async () => {
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

test('who waits for a stream gets one as soon as GOAWAY makes room for another connection', async () => {
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
