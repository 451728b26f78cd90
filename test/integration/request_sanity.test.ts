// What a stranger may write into a request and must not get through, asked byte by byte from outside, in HTTP/1.1 and HTTP/2.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

type Field = readonly [name: string, value: string];
const HTTP2 = { h2c: true, address: '127.0.0.1:0' };

async function withProxy(run: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<void>) {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: HTTP2,
      listeners: {
        strict: { ...HTTP2, headers: { underscores: 'reject' }, paths: { encodedSlash: 'reject' } },
        lenient: { ...HTTP2, headers: { underscores: 'keep' } },
      },
    }),
  );
  await run(proxy, backend);
}

/** The status of the response to exactly these lines; 0: the connection ended without one. */
async function askHttp1(proxy: ProxyInProcess, lines: readonly string[], listener = 'main'): Promise<number> {
  using client = await connectRaw(proxy.target(listener));
  await client.send(`${lines.join('\r\n')}\r\n\r\n`);
  return await client.answer().then(
    ({ status }) => status,
    () => 0,
  );
}

/** The status in the log, or `refused` where the HTTP/2 library itself has ended the stream or the connection. */
async function askHttp2(
  proxy: ProxyInProcess,
  list: readonly Field[],
  listener = 'main',
): Promise<number | 'refused'> {
  const isRequest = (line: object) => 'requestId' in line;
  const before = proxy.lines.find(isRequest).length;
  const { promise: refused, resolve } = Promise.withResolvers<'refused'>();
  using client = connectFrames(proxy.target(listener), { onReset: () => resolve('refused') });
  client.socket.on('close', () => resolve('refused'));
  client.fields(1, list);
  const logged = proxy.lines.next(isRequest, before + 1).then(line => Number(line['status']));
  logged.catch(() => {}); // where it was refused, there is no line
  return await Promise.race([logged, refused]);
}

const pseudo = (path = '/', authority = 'app.test'): Field[] => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', authority],
];

test('fields that may be there once are refused twice', async () => {
  await withProxy(async (proxy, backend) => {
    for (const [name, one, two] of [
      ['Host', 'app.test', 'app.test'],
      ['Host', 'app.test', 'other.test'],
      ['Authorization', 'Basic YTpi', 'Basic YTpi'],
      ['Authorization', 'Basic YTpi', 'Bearer x'],
      ['Content-Type', 'text/plain', 'application/json'],
      ['Content-Length', '0', '0'],
      ['Content-Length', '0', '1'],
    ] as const) {
      const host = name === 'Host' ? [] : ['Host: app.test'];
      const lines = ['GET / HTTP/1.1', ...host, `${name}: ${one}`, 'X: y', `${name.toUpperCase()}: ${two}`];
      assert.equal(await askHttp1(proxy, lines), 400, lines.join());
      const lower = name.toLowerCase();
      const answered = await askHttp2(proxy, [...pseudo(), [lower, one], ['x', 'y'], [lower, two]]);
      assert.ok(answered === 400 || answered === 'refused', `HTTP/2 ${lines.join()}: ${answered}`);
    }
    assert.equal(backend.requests.length, 0);
  });
});

test('whom a request is for is said once, or twice in the same words', async () => {
  await withProxy(async (proxy, backend) => {
    for (const host of ['a b', 'a,b', 'user@a', 'a/b', 'a:99999', '[::1', 'a\x01'])
      assert.equal(await askHttp1(proxy, ['GET / HTTP/1.1', `Host: ${host}`]), 400, host);
    assert.equal(await askHttp1(proxy, ['GET / HTTP/1.1', 'X: y']), 400, 'no Host');
    for (const [authority, host] of [
      ['app.test', 'other.test'],
      ['app.test', 'app.test:8443'],
      ['user@app.test', null],
      ['a,b', null],
      ['', null],
    ] as const) {
      const answered = await askHttp2(proxy, [
        ...pseudo('/', authority),
        ...(host === null ? [] : [['host', host] as const]),
      ]);
      assert.ok(answered === 400 || answered === 'refused', `${authority} ${host}: ${answered}`);
    }
    assert.equal(backend.requests.length, 0);
    assert.equal(await askHttp2(proxy, [...pseudo(), ['host', 'APP.test:80']]), 200);
    const absolute = ['GET http://app.test/x HTTP/1.1', 'Host: other.test'];
    assert.equal(await askHttp1(proxy, absolute), 200, 'RFC 9112 section 3.2.2');
    for (const { headers } of backend.requests) assert.equal(value(headers, 'host'), 'app.test');
  });
});

test('bytes that do not belong in a path or a value get nowhere', async () => {
  await withProxy(async (proxy, backend) => {
    for (const path of ['/\x01', '/\x7f', '/a\tb', '/a#b', '/%00', '/a%00.png', '/a?b\x02'])
      for (const answered of [
        await askHttp1(proxy, [`GET ${path} HTTP/1.1`, 'Host: app.test']),
        await askHttp2(proxy, pseudo(path)),
      ])
        assert.ok(answered === 400 || answered === 'refused', `${JSON.stringify(path)}: ${answered}`);
    for (const bad of ['a\x00b', 'a\x01b', 'a\x7fb', 'a\x1bb', 'a\rb', 'a\nb'])
      assert.equal(await askHttp1(proxy, ['GET / HTTP/1.1', 'Host: app.test', `X: ${bad}`]), 400, bad);
    for (const name of ['X Y', 'X\x01', 'X(', 'X\xe9'])
      assert.equal(await askHttp1(proxy, ['GET / HTTP/1.1', 'Host: app.test', `${name}: y`]), 400, name);
    for (const name of ['connection', 'upgrade', ':x', ':method'])
      assert.equal(await askHttp2(proxy, [...pseudo(), [name, 'y']]), 'refused', name);
    assert.equal(await askHttp2(proxy, [[':method', 'G T'], ...pseudo().slice(1)]), 'refused');
    assert.equal(backend.requests.length, 0);
  });
});

test('a field with bytes that it must not have is left out of an HTTP/2 request before we see it', async () => {
  // nghttp2 drops such a field, where RFC 9113 section 8.2.1 would have the request refused; Node tells nobody.
  await withProxy(async (proxy, backend) => {
    for (const bad of ['a\x00b', 'a\x01b', 'a\x7fb', 'a\rb', 'a\nb']) {
      await askHttp2(proxy, [...pseudo(), ['x-bad', bad], ['x-good', 'c']]);
      const { headers = [] } = backend.requests.at(-1) ?? {};
      assert.deepEqual([value(headers, 'x-bad'), value(headers, 'x-good')], [null, 'c'], JSON.stringify(bad));
    }
    for (const name of ['x y', 'x\x01', '', 'x(']) {
      await askHttp2(proxy, [...pseudo(), [name, 'bad'], ['x-good', 'd']]);
      const { headers = [] } = backend.requests.at(-1) ?? {};
      assert.deepEqual(
        [headers.includes('bad'), value(headers, 'x-good')],
        [false, 'd'],
        JSON.stringify(name),
      );
    }
  });
});

test('a path that climbs is refused in every spelling', async () => {
  await withProxy(async (proxy, backend) => {
    for (const path of [
      '/../x',
      '/a/../b',
      '/a/%2e%2E/b',
      '/a/.%2e',
      '/a/..%2fb',
      '/a%2f..%2fb',
      '/a/..;x/b',
      '/a\\..\\b',
      '/a/..%5cb',
    ])
      for (const answered of [
        await askHttp1(proxy, [`GET ${path} HTTP/1.1`, 'Host: app.test']),
        await askHttp2(proxy, pseudo(path)),
      ])
        assert.equal(answered, 400, path);
    assert.equal(backend.requests.length, 0);
    for (const path of ['/a%2Fb', '/a/..b/c', '/a/.../b', '/%E2%82%AC']) {
      assert.equal(await askHttp1(proxy, [`GET ${path} HTTP/1.1`, 'Host: app.test']), 200, path);
      assert.equal(backend.requests.at(-1)?.target, path, 'byte for byte');
      assert.equal(await askHttp2(proxy, pseudo(path)), 200, path);
    }
    for (const answered of [
      await askHttp1(proxy, ['GET /a%2fb HTTP/1.1', 'Host: app.test'], 'strict'),
      await askHttp2(proxy, pseudo('/a%2fb'), 'strict'),
    ])
      assert.equal(answered, 400, 'encodedSlash: reject');
  });
});

test('a field with an underscore is dropped, or refused, or kept where it cannot pass for one of ours', async () => {
  await withProxy(async (proxy, backend) => {
    const sent: Field[] = [
      ['x_forwarded_for', '6.6.6.6'],
      ['x_real-ip', '6.6.6.6'],
      ['x_request_id', 'forged-by-a-client'],
      ['x_team', 'shop'],
    ];
    const lines = [
      'GET / HTTP/1.1',
      'Host: app.test',
      ...sent.map(([name, text]) => `${name.toUpperCase()}: ${text}`),
    ];
    const seen = () =>
      (backend.requests.at(-1)?.headers ?? []).filter((name, at) => at % 2 === 0 && name.includes('_'));
    assert.equal(await askHttp1(proxy, lines), 200);
    assert.deepEqual(seen(), []);
    assert.equal(await askHttp2(proxy, [...pseudo(), ...sent]), 200);
    assert.deepEqual(seen(), []);
    assert.equal(await askHttp1(proxy, lines, 'lenient'), 200);
    assert.deepEqual(seen(), ['X_TEAM']);
    assert.equal(await askHttp2(proxy, [...pseudo(), ...sent], 'lenient'), 200);
    assert.deepEqual(seen(), ['x_team']);
    const count = backend.requests.length;
    assert.equal(await askHttp1(proxy, lines, 'strict'), 400);
    assert.equal(await askHttp2(proxy, [...pseudo(), ...sent], 'strict'), 400);
    assert.equal(backend.requests.length, count);
  });
});

test('fields between proxies are not for clients to write, nor to take away', async () => {
  await withProxy(async (proxy, backend) => {
    const protectedFields = [
      'Authorization',
      'Cookie',
      'Content-Type',
      'Cache-Control',
      'Range',
      'traceparent',
    ];
    const names = [
      'Host',
      'Content-Length',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Team',
      'Forwarded',
      'Via',
      'X-Request-Id',
      'X-Real-IP',
    ];
    const { status } = await fetchRaw(proxy.target(), '/', {
      method: 'POST',
      body: 'hello',
      headers: [
        ...['Connection', [...protectedFields, ...names, 'X-Mine'].join(', ')],
        ...protectedFields.flatMap(name => [
          name,
          name === 'traceparent' ? `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` : 'kept',
        ]),
        ...['X-Mine', 'gone', 'Proxy', 'http://evil', 'Proxy-Authorization', 'Basic x'],
        ...['X-Fairlead-Explain', '1', 'X-Request-Deadline-Ms', '1', 'X-Request-Id', 'forged-by-a-client'],
        ...[
          'X-Forwarded-For',
          '6.6.6.6',
          'X-Real-IP',
          '6.6.6.6',
          'X-Forwarded-Team',
          'x',
          'Forwarded',
          'for=6.6.6.6',
        ],
        ...['Upgrade', 'h2c', 'HTTP2-Settings', 'AAMAAABkAAQAAP__'],
      ],
    });
    assert.equal(status, 200);
    const [request] = backend.requests;
    assert.ok(request !== undefined);
    const { headers } = request;
    for (const name of protectedFields) assert.notEqual(value(headers, name), null, name);
    assert.equal(value(headers, 'x-forwarded-for'), '127.0.0.1');
    assert.match(value(headers, 'forwarded') ?? '', /^for=127\.0\.0\.1;/);
    assert.equal(value(headers, 'content-length'), '5');
    assert.equal(value(headers, 'host'), 'app.test');
    assert.notEqual(value(headers, 'x-request-id'), 'forged-by-a-client');
    assert.match(value(headers, 'via') ?? '', /fairlead/);
    for (const name of [
      'x-mine',
      'proxy',
      'proxy-authorization',
      'x-fairlead-explain',
      'x-real-ip',
      'x-forwarded-team',
      'upgrade',
      'http2-settings',
    ])
      assert.equal(value(headers, name), null, name);
    assert.doesNotMatch(headers.join(), /6\.6\.6\.6/);
  });
});

test('a Forwarded of a trusted proxy that cannot be read is refused, of a stranger it is nothing', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { trustedProxies: ['127.0.0.1'], access: { deny: ['203.0.113.66'] } },
    }),
  );
  const ask = async (forwarded: string, localAddress = '127.0.0.1') =>
    (await fetchRaw({ ...proxy.target(), localAddress }, '/', { headers: ['Forwarded', forwarded] })).status;
  assert.equal(await ask('for="203.0.113.66, for=203.0.113.7'), 400);
  assert.equal(await ask('for=203.0.113.66;proto=https'), 403, 'access lists hear it');
  assert.equal(await ask('for="203.0.113.7:4711";proto=https;host=shop.example'), 200);
  assert.equal(await ask('for="[2001:db8::7]:443"'), 200);
  assert.equal(await ask('for="203.0.113.66', '127.0.0.2'), 200);
  const [first, second, third] = backend.requests.map(({ headers }) => headers);
  assert.equal(value(first ?? [], 'x-forwarded-for'), '203.0.113.7, 127.0.0.1');
  assert.equal(value(first ?? [], 'x-forwarded-proto'), 'https');
  assert.equal(value(first ?? [], 'x-forwarded-host'), 'shop.example');
  assert.equal(value(second ?? [], 'x-forwarded-for'), '2001:db8::7, 127.0.0.1');
  assert.equal(value(third ?? [], 'forwarded'), 'for=127.0.0.2;host=app.test;proto=http');
});
