/** The fakes do what they say: backend, raw client and HTTP/2 client against each other and against Node's own. */
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import {
  after,
  answer,
  answerTwice,
  closeAfter,
  closeBeforeHead,
  closeOnReuse,
  continueFirst,
  cutInBody,
  type Echo,
  earlyHints,
  echo,
  inTurn,
  raw,
  readNothing,
  resetBeforeHead,
  stallAfterHead,
  staySilent,
  tunnel,
  webSocketEcho,
} from './backend_behaviours.ts';
import * as certificates from './certificates.ts';
import { value, values } from './http1_message.ts';
import { connectHttp2 } from './http2_client.ts';
import { assertNoLeaks, checkLeaks, openResources } from './leak_check.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from './raw_client.ts';
import {
  type BackendOptions,
  type Behaviour,
  closedPort,
  type ScriptedBackend,
  startBackend,
} from './scripted_backend.ts';

checkLeaks();

async function withBackend(
  behaviour: Behaviour,
  use: (backend: ScriptedBackend) => Promise<void>,
  options: BackendOptions = {},
): Promise<void> {
  const backend = await startBackend(behaviour, options);
  try {
    await use(backend);
  } finally {
    await backend.close();
  }
}

test('an answer arrives as it was scripted: order, case, duplicates, body', () =>
  withBackend(
    answer({ status: 418, reason: 'Teapot', headers: ['X-B', '1', 'x-a', '2', 'X-B', '3'], body: 'tea' }),
    async backend => {
      const got = await fetchRaw(backend, '/');
      assert.equal(got.status, 418);
      assert.equal(got.reason, 'Teapot');
      assert.deepEqual(got.headers, ['X-B', '1', 'x-a', '2', 'X-B', '3', 'Content-Length', '3']);
      assert.deepEqual(values(got.headers, 'x-b'), ['1', '3']);
      assert.equal(got.text, 'tea');
      assert.equal(got.complete, true);
    },
  ));

test('chunked answers bring their trailers, also to Node', () =>
  withBackend(
    answer({ body: [Buffer.from('a'), Buffer.from('bc')], trailers: ['X-Sum', '3'] }),
    async backend => {
      const got = await fetchRaw(backend, '/');
      assert.equal(got.text, 'abc');
      assert.deepEqual(got.trailers, ['X-Sum', '3']);
      const response = await new Promise<http.IncomingMessage>(resolve =>
        http.get({ port: backend.port, host: '127.0.0.1', agent: false }, resolve),
      );
      for await (const chunk of response) assert.ok(chunk);
      assert.deepEqual(response.rawTrailers, ['X-Sum', '3']);
    },
  ));

test('an answer ended by closing is whole, a cut one is not', async () => {
  await withBackend(answer({ body: 'all', framing: 'close' }), async backend => {
    assert.equal((await fetchRaw(backend, '/')).complete, true);
  });
  for (const framing of ['length', 'chunked'] as const) {
    for (const how of ['reset', 'close'] as const) {
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      await withBackend(cutInBody('some', { framing, how, released }), async backend => {
        const client = await connectRaw(backend);
        void client.send(formatRequest('/'));
        const error = await client.answer('GET', () => release()).catch((reason: unknown) => reason);
        assert.ok(error instanceof TruncatedAnswer, `${framing} ${how}`);
        assert.equal(error.answer.text, 'some');
        assert.equal(await client.ended, how === 'reset' ? 'reset' : 'end');
        client.destroy();
      });
    }
  }
});

test('HEAD, 204 and 304 have no body and leave the connection usable', () =>
  withBackend(
    inTurn(answer({ body: 'unseen' }), answer({ status: 204 }), answer({ body: 'seen' })),
    async backend => {
      const client = await connectRaw(backend);
      void client.send(formatRequest('/', { method: 'HEAD' }));
      const head = await client.answer('HEAD');
      assert.equal(value(head.headers, 'content-length'), '6');
      assert.equal(head.bytes, 0);
      void client.send(formatRequest('/'));
      assert.equal((await client.answer()).status, 204);
      void client.send(formatRequest('/'));
      assert.equal((await client.answer()).text, 'seen');
      assert.equal(backend.connections.total, 1);
      client.destroy();
    },
  ));

test('the echo tells what came: target and fields byte for byte, and the sum of the body', () =>
  withBackend(echo(), async backend => {
    const got = await fetchRaw(backend, '/a%2Fb/../c?x=%00', {
      method: 'POST',
      headers: ['X-One', 'a', 'x-ONE', 'b'],
      body: 'hello',
    });
    const seen = JSON.parse(got.text) as Echo;
    assert.equal(seen.method, 'POST');
    assert.equal(seen.target, '/a%2Fb/../c?x=%00');
    assert.deepEqual(seen.headers, ['Host', 'app.test', 'X-One', 'a', 'x-ONE', 'b', 'Content-Length', '5']);
    assert.equal(seen.bodyBytes, 5);
    assert.equal(seen.bodySha256, '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
  }));

test('100 and 103 come before the answer', () =>
  withBackend(continueFirst(earlyHints('</a>', answer())), async backend => {
    const client = await connectRaw(backend);
    void client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    const head = client.answer('POST');
    await backend.requestCount(1);
    void client.send('ab');
    const { information, status } = await head;
    assert.deepEqual(information, [
      { status: 100, headers: [] },
      { status: 103, headers: ['Link', '</a>'] },
    ]);
    assert.equal(status, 200);
    client.destroy();
  }));

test('a backend that ends before an answer is seen to: FIN, RST, refusal', async () => {
  await withBackend(closeBeforeHead(), backend =>
    assert.rejects(fetchRaw(backend, '/'), /ended \(end\) before an answer/),
  );
  await withBackend(resetBeforeHead(), backend =>
    assert.rejects(fetchRaw(backend, '/'), /ended \(reset\) before an answer/),
  );
  await assert.rejects(fetchRaw({ port: await closedPort() }, '/'), { code: 'ECONNREFUSED' });
  await withBackend(
    answer(),
    backend => assert.rejects(fetchRaw(backend, '/'), /ended \(reset\)|ECONNRESET/),
    {
      onConnection: () => 'reset',
    },
  );
});

test('a connection that is closed on reuse, or after so many requests', async () => {
  await withBackend(closeOnReuse(answer(), 'close'), async backend => {
    const client = await connectRaw(backend);
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).status, 200);
    void client.send(formatRequest('/'));
    await assert.rejects(client.answer(), /ended \(end\)/);
    client.destroy();
  });
  await withBackend(closeAfter(2, answer()), async backend => {
    const client = await connectRaw(backend);
    for (let count = 0; count < 2; count++) {
      void client.send(formatRequest('/'));
      assert.equal((await client.answer()).status, 200);
    }
    assert.equal(await endOf(client.reader), 'end');
    client.destroy();
  });
});

async function endOf(reader: { rest(): Promise<Buffer>; readonly ended: Promise<string> }): Promise<string> {
  await reader.rest();
  return reader.ended;
}

test('silence: nothing comes until the backend closes', async () => {
  for (const behaviour of [staySilent(), readNothing()]) {
    const backend = await startBackend(behaviour);
    const client = await connectRaw(backend);
    void client.send(formatRequest('/', { method: 'POST', body: 'x' }));
    await backend.requestCount(1);
    assert.equal(client.reader.buffered.length, 0);
    await backend.close();
    assert.equal((await client.reader.rest()).length, 0);
    client.destroy();
  }
  await withBackend(stallAfterHead('part'), async backend => {
    const client = await connectRaw(backend);
    void client.send(formatRequest('/'));
    assert.equal((await client.head()).status, 200);
    assert.equal((await client.reader.exactly(4)).toString(), 'part');
    client.destroy();
    await backend.noConnections();
  });
});

test('an answer waits until the test lets it go', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await withBackend(after(released, answer({ body: 'late' })), async backend => {
    const pending = fetchRaw(backend, '/');
    await backend.requestCount(1);
    release();
    assert.equal((await pending).text, 'late');
  });
});

test('nonsense is sent as it is', async () => {
  await withBackend(raw('\x00\xff garbage\r\n\r\n', 'close'), async backend => {
    const client = await connectRaw(backend);
    void client.send(formatRequest('/'));
    assert.deepEqual(await client.reader.rest(), Buffer.from('\x00\xff garbage\r\n\r\n', 'latin1'));
    client.destroy();
  });
  await withBackend(answerTwice('one', 'two'), async backend => {
    const client = await connectRaw(backend);
    void client.send(formatRequest('/'));
    assert.equal((await client.answer()).text, 'one');
    assert.equal((await client.answer()).text, 'two', 'before anything was asked');
    client.destroy();
  });
});

test('a reader that does not read holds up the sender', () =>
  withBackend(answer({ body: endless() }), async backend => {
    const client = await connectRaw(backend);
    void client.send(formatRequest('/'));
    await client.head();
    const [request] = backend.requests;
    while (request?.socket.writableNeedDrain !== true) await new Promise(resolve => setImmediate(resolve));
    const queued = request.socket.writableLength;
    assert.ok(queued < 4 * 1024 * 1024, 'the script waits for drain');
    client.reset();
    await backend.noConnections();
  }));

function* endless(): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024);
  for (let count = 0; count < 1_024; count++) yield piece;
}

test('WebSocket: accepted with an echo, refused with an answer, or handed over bare', async () => {
  await withBackend(webSocketEcho(), async backend => {
    const socket = new WebSocket(`ws://${backend.address}/chat`);
    socket.on('open', () => socket.send('hello'));
    const message = await new Promise(resolve => socket.on('message', data => resolve(String(data))));
    assert.equal(message, 'hello');
    const closed = new Promise(resolve => socket.on('close', resolve));
    socket.close();
    await closed;
  });
  await withBackend(answer({ status: 401 }), async backend => {
    const socket = new WebSocket(`ws://${backend.address}/chat`);
    const error = await new Promise<Error>(resolve => socket.on('error', resolve));
    assert.match(error.message, /401/);
  });
  await withBackend(
    tunnel(({ socket }) => socket.write('bare')),
    async backend => {
      const client = await connectRaw(backend);
      void client.send(formatRequest('/', { headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] }));
      assert.equal((await client.head()).status, 101);
      assert.equal((await client.reader.exactly(4)).toString(), 'bare');
      client.destroy();
    },
  );
});

test('TLS, and Unix sockets', async () => {
  await withBackend(
    answer({ body: 'secret' }),
    async backend => {
      const trusted = { port: backend.port, tls: { ca: certificates.ca, servername: 'app.test' } };
      assert.equal((await fetchRaw(trusted, '/')).text, 'secret');
      await assert.rejects(
        fetchRaw({ port: backend.port, tls: { servername: 'app.test' } }, '/'),
        /certificate/,
      );
    },
    { tls: certificates.server },
  );
  const path = `/tmp/fairlead-test-${process.pid}.sock`;
  await withBackend(
    answer({ body: 'near' }),
    async backend => {
      assert.equal(backend.address, `unix:${path}`);
      assert.equal((await fetchRaw({ path }, '/')).text, 'near');
    },
    { path },
  );
});

test('the HTTP/2 client tells head, body, trailers and how a stream ended', async () => {
  const server = http2.createServer();
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/reset') stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 201, 'x-one': '1' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '2' }));
      stream.end('hi');
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const client = await connectHttp2({ port: (server.address() as AddressInfo).port });
  const got = await client.request('/').answer;
  assert.equal(got.status, 201);
  assert.deepEqual(got.headers.slice(0, 2), ['x-one', '1']);
  assert.equal(got.text, 'hi');
  assert.deepEqual(got.trailers, ['x-sum', '2']);
  assert.equal(got.information[0]?.status, 103);
  assert.equal(got.rstCode, 0);
  const reset = await client.request('/reset').answer;
  assert.equal(reset.status, 0);
  assert.equal(reset.rstCode, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await client.close();
  await new Promise(resolve => server.close(resolve));
});

test('the leak check sees an open server and an open timer', async () => {
  const known = openResources();
  const backend = await startBackend(answer());
  const timer = setTimeout(() => {}, 60_000);
  assert.deepEqual(openResources(known), ['TCPServerWrap', 'Timeout']);
  await backend.close();
  clearTimeout(timer);
  await assertNoLeaks(known);
});
