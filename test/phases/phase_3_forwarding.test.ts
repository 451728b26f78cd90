// Phase 3: what a client and a backend may expect of the proxy between them, with real sockets.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  answer,
  closeOnReuse,
  cutInBody,
  echo,
  inTurn,
  raw,
  resetBeforeHead,
  stallAfterHead,
  staySilent,
  webSocketEcho,
} from '../support/backend_behaviours.ts';
import { value, values } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type Behaviour, REFUSING, type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** A proxy in front of these endpoints; `use` gets it, and everything is closed behind it. */
async function withProxy(
  endpoints: readonly string[],
  setup: ForwardOptions,
  use: (proxy: ProxyInProcess) => Promise<void>,
): Promise<void> {
  const cluster = { health: { active: 'off', passive: 'off' }, ...setup.cluster };
  const proxy = await startProxy(
    forwardTo(endpoints, { ...setup, cluster, listener: { h2c: true, ...setup.listener } }),
  );
  try {
    await use(proxy);
  } finally {
    await proxy.stop();
  }
}

async function withBackend(
  behaviour: Behaviour,
  setup: ForwardOptions,
  use: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<void>,
): Promise<void> {
  const backend = await startBackend(behaviour);
  try {
    await withProxy([backend.address], setup, proxy => use(proxy, backend));
  } finally {
    await backend.close();
  }
}

test('the backend gets path, field order, case and duplicates as the client sent them', async () => {
  await withBackend(echo(), {}, async (proxy, backend) => {
    const headers = ['Host', 'app.test', 'X-One', '1', 'accept', 'a/b', 'X-One', '2', 'COOKIE', 'a=\xe9'];
    await fetchRaw(proxy.target(), '/a/./b//c%2Fd/{x}?z=%zz&', { headers });
    const seen = backend.requests[0];
    assert.equal(seen?.target, '/a/./b//c%2Fd/{x}?z=%zz&');
    const sent = seen?.headers.slice(0) ?? [];
    const own = sent.slice(sent.indexOf('X-One'), sent.indexOf('COOKIE') + 2);
    assert.deepEqual(own, ['X-One', '1', 'accept', 'a/b', 'X-One', '2', 'COOKIE', 'a=\xe9']);
    assert.equal(value(sent, 'host'), 'app.test');
  });
});

test('OPTIONS * stays what it is', async () => {
  await withBackend(echo(), {}, async (proxy, backend) => {
    assert.equal((await fetchRaw(proxy.target(), '*', { method: 'OPTIONS' })).status, 200);
    assert.equal(backend.requests[0]?.target, '*');
  });
});

test('fields of one hop stop here, both ways', async () => {
  const behaviour = answer({
    headers: ['Connection', 'x-hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=9', 'X-End', '2'],
    body: 'x',
  });
  await withBackend(behaviour, {}, async (proxy, backend) => {
    const got = await fetchRaw(proxy.target(), '/', {
      headers: ['Connection', 'close, X-Secret', 'X-Secret', '1', 'TE', 'gzip', 'Upgrade', 'h2c'],
    });
    const sent = backend.requests[0]?.headers ?? [];
    for (const name of ['x-secret', 'te', 'upgrade', 'keep-alive'])
      assert.equal(value(sent, name), null, name);
    assert.equal(value(got.headers, 'x-hop'), null);
    assert.equal(value(got.headers, 'x-end'), '2');
    assert.doesNotMatch(value(got.headers, 'keep-alive') ?? '', /timeout=9/);
  });
});

test('an untrusted client cannot say who it is', async () => {
  await withBackend(echo(), {}, async (proxy, backend) => {
    await fetchRaw(proxy.target(), '/', {
      headers: [
        'X-Forwarded-For',
        '6.6.6.6',
        'X-Forwarded-Proto',
        'https',
        'Forwarded',
        'for=6.6.6.6',
        'X-Request-Id',
        'chosen-by-me-123',
      ],
    });
    const sent = backend.requests[0]?.headers ?? [];
    assert.deepEqual(values(sent, 'x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(values(sent, 'x-forwarded-proto'), ['http']);
    assert.doesNotMatch(values(sent, 'forwarded').join(), /6\.6\.6\.6/);
    assert.notEqual(value(sent, 'x-request-id'), 'chosen-by-me-123');
  });
});

for (const framing of ['length', 'chunked', 'close'] as const) {
  test(`an answer framed by ${framing} arrives whole`, async () => {
    const body = Buffer.alloc(300_000, 'abcdefg');
    await withBackend(answer({ body, framing }), {}, async proxy => {
      const got = await fetchRaw(proxy.target(), '/');
      assert.equal(got.status, 200);
      assert.equal(got.sha256, createHash('sha256').update(body).digest('hex'));
    });
  });
}

test('HEAD, 204 and 304 have no body and keep their connection', async () => {
  const behaviour = inTurn(
    answer({ headers: ['Content-Length', '5'] }),
    answer({ status: 204 }),
    answer({ status: 304, headers: ['ETag', '"a"'] }),
    answer({ body: 'end' }),
  );
  await withBackend(behaviour, {}, async (proxy, backend) => {
    const client = await connectRaw(proxy.target());
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
      ['GET', 200],
    ] as const) {
      await client.send(formatRequest('/', { method }));
      const got = await client.answer(method);
      assert.equal(got.status, status);
    }
    client.destroy();
    assert.equal(backend.connections.total, 1, 'one connection to the backend for all of them');
  });
});

test('103 and trailers are passed on', async () => {
  const behaviour = answer({
    body: 'x',
    information: [[103, ['Link', '</a.css>; rel=preload']]],
    trailers: ['X-Sum', '42'],
    headers: ['Trailer', 'X-Sum'],
  });
  await withBackend(behaviour, {}, async proxy => {
    const got = await fetchRaw(proxy.target(), '/');
    assert.deepEqual(got.information[0]?.status, 103);
    assert.equal(value(got.information[0]?.headers ?? [], 'link'), '</a.css>; rel=preload');
    assert.equal(value(got.trailers ?? [], 'x-sum'), '42');
  });
});

test('an HTTP/1.0 client gets an answer without chunks, and the end of the connection', async () => {
  await withBackend(
    answer({ body: 'hello', framing: 'chunked', trailers: ['X-Sum', '1'], headers: ['Trailer', 'X-Sum'] }),
    {},
    async proxy => {
      const client = await connectRaw(proxy.target());
      await client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
      const got = await client.answer();
      assert.equal(got.text, 'hello');
      assert.equal(value(got.headers, 'transfer-encoding'), null);
      assert.equal(await client.ended, 'end');
      client.destroy();
    },
  );
});

test('an upload reaches the backend whole, with a length or in chunks, after 100-continue', async () => {
  await withBackend(echo(), {}, async proxy => {
    const body = Buffer.alloc(1_000_000, 'xyz');
    const sum = createHash('sha256').update(body).digest('hex');
    const plain = await fetchRaw(proxy.target(), '/', { method: 'POST', body });
    assert.match(plain.text, new RegExp(sum));
    const client = await connectRaw(proxy.target());
    await client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const [first] = await Promise.all([client.reader.until('\r\n\r\n')]);
    assert.match(String(first), /^HTTP\/1\.1 100 /);
    await client.send(`${body.length.toString(16)}\r\n`);
    await client.send(body);
    await client.send('\r\n0\r\n\r\n');
    assert.match((await client.answer()).text, new RegExp(sum));
    client.destroy();
  });
});

test('the head of an answer is flushed before its body comes', async () => {
  await withBackend(stallAfterHead(), {}, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send(formatRequest('/'));
    assert.equal((await client.head()).status, 200);
    client.destroy();
    await proxy.lines.next({ reason: 'client_gone' });
  });
});

test('a truncated answer never ends cleanly', async () => {
  for (const framing of ['length', 'chunked'] as const) {
    await withBackend(cutInBody('half', { framing }), {}, async proxy => {
      const client = await connectRaw(proxy.target());
      await client.send(formatRequest('/'));
      await assert.rejects(client.answer(), framing);
      client.destroy();
      assert.equal((await proxy.lines.next({ status: 200 })).reason, 'reset_in_body');
    });
  }
});

test('a client that leaves cancels the request at the backend within milliseconds', async () => {
  await withBackend(staySilent(), {}, async (proxy, backend) => {
    const client = await connectRaw(proxy.target());
    await client.send(formatRequest('/'));
    await backend.requestCount(1);
    client.destroy();
    await backend.noConnections();
    assert.equal((await proxy.lines.next({ status: 499 })).reason, 'client_gone');
  });
});

test('an early answer to an upload reaches the client', async () => {
  await withBackend(answer({ status: 403, body: 'no', early: true }), {}, async proxy => {
    const client = await connectRaw(proxy.target());
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n');
    void client.send(Buffer.alloc(100_000));
    const got = await client.answer();
    assert.equal(got.status, 403);
    assert.equal(value(got.headers, 'connection'), 'close');
    client.destroy();
  });
});

// ---- failures of backends

test('a refused connection is 502 connect_refused, and says nothing of the address', async () => {
  await withProxy([REFUSING], { route: { retries: { attempts: 0 } } }, async proxy => {
    const got = await fetchRaw(proxy.target(), '/', { headers: ['Accept', 'application/json'] });
    assert.equal(got.status, 502);
    assert.equal(value(got.headers, 'proxy-status'), 'fairlead; error=connection_refused');
    const body = JSON.parse(got.text);
    assert.equal(body.reason, 'connect_refused');
    assert.equal(body.instance, value(got.headers, 'x-request-id'));
    assert.doesNotMatch(got.text, /127\.0\.0\.1/);
  });
});

test('a connection failure goes to another backend, whatever the method', async () => {
  const good = await startBackend(echo());
  await withProxy(
    [REFUSING, good.address],
    { cluster: { loadBalancing: { policy: 'roundRobin' } } },
    async proxy => {
      for (let count = 0; count < 4; count++) {
        const got = await fetchRaw(proxy.target(), '/', { method: 'POST', body: 'once' });
        assert.equal(got.status, 200);
      }
      assert.equal(good.requests.length, 4, 'no POST was sent twice');
    },
  );
  await good.close();
});

test('a reset before the head is repeated for GET and not for POST', async () => {
  await withBackend(
    inTurn(resetBeforeHead(), answer({ body: 'ok' }), resetBeforeHead(), answer({ body: 'late' })),
    {},
    async (proxy, backend) => {
      assert.equal((await fetchRaw(proxy.target(), '/')).text, 'ok');
      const post = await fetchRaw(proxy.target(), '/', { method: 'POST', body: 'x' });
      assert.equal(post.status, 502);
      assert.equal(backend.requests.length, 3);
    },
  );
});

test('a kept connection that the backend closes on reuse costs no GET', async () => {
  await withBackend(closeOnReuse(answer({ body: 'ok' })), {}, async proxy => {
    for (let count = 0; count < 10; count++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  });
});

test('garbage for an answer is 502 bad_response', async () => {
  await withBackend(raw('this is no http\r\n\r\n', 'close'), {}, async proxy => {
    const got = await fetchRaw(proxy.target(), '/');
    assert.equal(got.status, 502);
    assert.equal(value(got.headers, 'proxy-status'), 'fairlead; error=http_protocol_error');
  });
});

test('a backend that does not answer in time is 504 response_head_timeout', async () => {
  await withBackend(
    staySilent(),
    { route: { timeouts: { responseHead: '60ms' }, retries: { attempts: 0 } } },
    async proxy => {
      const got = await fetchRaw(proxy.target(), '/');
      assert.equal(got.status, 504);
      assert.equal((await proxy.lines.next({ status: 504 })).reason, 'response_head_timeout');
    },
  );
});

test('a full queue and a long wait are 503 with Retry-After', async () => {
  const setup = {
    cluster: { pool: { connections: 1, queue: 1, queueTimeout: '100ms' } },
    route: { retries: { attempts: 0 } },
  };
  await withBackend(staySilent(), setup, async (proxy, backend) => {
    const holder = await connectRaw(proxy.target());
    await holder.send(formatRequest('/'));
    await backend.requestCount(1);
    const waiting = fetchRaw(proxy.target(), '/waits');
    const refused = await fetchRaw(proxy.target(), '/refused');
    const answers = [await waiting, refused];
    for (const got of answers) {
      assert.equal(got.status, 503);
      assert.equal(value(got.headers, 'retry-after'), '1');
    }
    await proxy.lines.next({ status: 503 }, 2);
    const reasons = proxy.lines.find({ status: 503 }).map(line => line['reason']);
    assert.deepEqual(reasons.sort(), ['queue_full', 'queue_timeout']);
    holder.destroy();
  });
});

test('5,000 requests to a cluster with four connections never open a fifth', async () => {
  await withBackend(
    answer({ body: 'ok' }),
    {
      cluster: { pool: { connections: 4, queue: 1000, queueTimeout: '30s' } },
      listener: { limits: { connectionsPerIp: 'off' } },
    },
    async (proxy, backend) => {
      const client = async (): Promise<void> => {
        const connection = await connectRaw(proxy.target());
        for (let count = 0; count < 100; count++) {
          await connection.send(formatRequest('/'));
          assert.equal((await connection.answer()).status, 200);
        }
        connection.destroy();
      };
      await Promise.all(Array.from({ length: 50 }, client));
      assert.equal(backend.requests.length, 5_000);
      assert.ok(backend.connections.peak <= 4, `at most four at once, not ${backend.connections.peak}`);
    },
  );
});

// ---- HTTP/2 and WebSocket

test('an HTTP/2 client gets the same answers, trailers included', async () => {
  await withBackend(
    answer({ body: 'over two', trailers: ['X-Sum', '42'], headers: ['X-A', '1', 'X-A', '2'] }),
    {},
    async proxy => {
      const client = await connectHttp2(proxy.target());
      const got = await client.request('/a?b').answer;
      assert.equal(got.status, 200);
      assert.equal(got.text, 'over two');
      assert.deepEqual(values(got.headers, 'x-a'), ['1', '2']);
      assert.equal(value(got.trailers ?? [], 'x-sum'), '42');
      const missing = await client.request('/', { ':method': 'POST' }, Buffer.alloc(200_000)).answer;
      assert.equal(missing.status, 200);
      await client.close();
    },
  );
});

test('a client that takes nothing of its answer is given up after bodyIdle, in both protocols', async () => {
  const listener = { timeouts: { bodyIdle: '100ms' } };
  await withBackend(
    answer({ body: 'x'.repeat(50) }),
    { listener: { ...listener, h2c: true } },
    async proxy => {
      const shut = await connectHttp2({ ...proxy.target(), settings: { initialWindowSize: 0 } });
      const { answer: cut } = shut.request('/shut');
      const line = await proxy.lines.next({ path: '/shut' });
      assert.deepEqual([line.status, line.reason], [200, 'client_timeout']);
      assert.equal((line['timeout'] as { name: string }).name, 'bodyIdle');
      assert.notEqual((await cut).rstCode, 0);
      await shut.close();
    },
  );
  const large = answer({ body: Buffer.alloc(64 * 1024 * 1024) });
  await withBackend(large, { listener }, async proxy => {
    using client = await connectRaw(proxy.target());
    client.socket.pause();
    await client.send(formatRequest('/large'));
    assert.equal((await proxy.lines.next({ path: '/large' })).reason, 'client_timeout');
  });
});

test('a WebSocket passes both ways, and is one line in the log', async () => {
  await withBackend(webSocketEcho(), {}, async proxy => {
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.target().port}/chat`);
    await new Promise(resolve => socket.once('open', resolve));
    const echoed = new Promise<string>(resolve => socket.once('message', data => resolve(String(data))));
    socket.send('hello');
    assert.equal(await echoed, 'hello');
    socket.close();
    const line = await proxy.lines.next({ path: '/chat' });
    assert.equal(line.status, 101);
    assert.ok(Number(line['bytesIn']) > 0 && Number(line['bytesOut']) > 0);
  });
});

const HANDSHAKE = [
  ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
  ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

test('a client that closes during its WebSocket handshake cancels it at the backend', async () => {
  await withBackend(staySilent(), {}, async (proxy, backend) => {
    const client = await connectRaw(proxy.target());
    await client.send(formatRequest('/chat', { headers: HANDSHAKE }));
    await backend.requestCount(1);
    client.finish();
    await backend.noConnections();
    assert.equal((await proxy.lines.next({ path: '/chat' })).reason, 'client_gone');
  });
});

test('a refused WebSocket handshake passes through as it is', async () => {
  await withBackend(
    answer({ status: 401, headers: ['WWW-Authenticate', 'Basic'], body: 'who?' }),
    {},
    async proxy => {
      const got = await fetchRaw(proxy.target(), '/chat', {
        headers: HANDSHAKE,
      });
      assert.equal(got.status, 401);
      assert.equal(value(got.headers, 'www-authenticate'), 'Basic');
      assert.equal(got.text, 'who?');
    },
  );
});
