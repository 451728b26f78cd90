// What real clients do: empty uploads over HTTP/2, cookies in crumbs, event streams that are left.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { after, answer } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { connectFrames } from '../support/http2_frames.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type BackendRequest, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const run = promisify(execFile);
const H2C = { listener: { h2c: true } };

test('an HTTP/2 upload that turns out to be empty is answered at once', async () => {
  await using backend = await startBackend(answer({ body: 'done' }));
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  const client = await connectHttp2(proxy.target());
  // HEADERS without END_STREAM and an empty DATA frame with it, in one packet: as curl, Go and httpx do.
  const given = await Promise.all(
    ['POST', 'PUT', 'GET'].map(method => client.request('/', { ':method': method }, '').answer),
  );
  assert.deepEqual(
    given.map(({ status, text }) => [status, text]),
    Array.from({ length: 3 }, () => [200, 'done']),
  );
  await client.close();
});

test('an HTTP/2 upload that is empty and waits for a connection is answered too', async () => {
  let finish = () => {};
  const first = new Promise<void>(resolve => {
    finish = resolve;
  });
  await using backend = await startBackend(async (request: BackendRequest) => {
    if (request.number === 1) await first;
    return answer({ body: 'done' })(request);
  });
  await using proxy = await startProxy(
    forwardTo([backend.address], { ...H2C, cluster: { pool: { connections: 1, queueTimeout: '30s' } } }),
  );
  const client = await connectHttp2(proxy.target());
  const holder = client.request('/1').answer;
  await backend.requestCount(1);
  const waiting = client.request('/2', { ':method': 'POST' }, '').answer;
  client.session.ping(() => finish()); // the upload has arrived when its answer has
  assert.deepEqual([(await holder).status, (await waiting).status], [200, 200]);
  await client.close();
});

test('curl uploads nothing over HTTP/2', needs('curl'), async () => {
  await using backend = await startBackend(answer({ body: 'done' }));
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  const url = `http://127.0.0.1:${proxy.target().port}/`;
  for (const upload of [
    ['-X', 'POST', '-d', ''],
    ['-T', '/dev/null'],
  ]) {
    const { stdout } = await run(program('curl'), [
      '-s',
      '-m',
      '10',
      '--http2-prior-knowledge',
      ...upload,
      url,
    ]);
    assert.equal(stdout, 'done', upload.join(' '));
  }
});

test('a chunked upload of nothing is answered, over HTTP/1.1 as well', async () => {
  await using backend = await startBackend(answer({ body: 'done' }));
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  await client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  assert.equal((await client.answer()).text, 'done');
});

test('a cookie that is split into parts is one field, and its bytes count', async () => {
  await using backend = await startBackend(answer({ body: 'done' }));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { h2c: true, limits: { headBytes: '16KiB', headerCount: 20 } },
    }),
  );
  const client = await connectHttp2(proxy.target());
  const crumbs = (count: number, length: number) => ({
    cookie: Array.from({ length: count }, (_, at) => `c${at}=${'x'.repeat(length)}`) as unknown as string,
  });
  for (const count of [95, 250]) {
    assert.equal((await client.request('/', crumbs(count, 4)).answer).status, 200, `${count} crumbs`);
    const { headers } = backend.requests.at(-1) ?? { headers: [] };
    assert.equal(headers.filter(name => name.toLowerCase() === 'cookie').length, 1);
  }
  assert.equal((await client.request('/', crumbs(10, 2_000)).answer).status, 431);
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`x-${at}`, '1']));
  assert.equal((await client.request('/', many).answer).status, 431, 'other fields count each');
  await client.close();
});

test('a client may leave an event stream without a failure; one that leaves a download is client_gone', async () => {
  await using backend = await startBackend(request => {
    const type =
      request.target === '/events' ? 'text/event-stream; charset=utf-8' : 'application/octet-stream';
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    request.socket.write(`${head}3\r\nabc\r\n`);
    return 'over';
  });
  await using proxy = await startProxy(forwardTo([backend.address]));
  for (const path of ['/events', '/download']) {
    using client = await connectRaw(proxy.target());
    await client.send(formatRequest(path));
    assert.equal((await client.head()).status, 200);
    client.destroy();
    const line = await proxy.lines.next({ path });
    assert.deepEqual(
      [line.status, line.reason ?? null],
      path === '/events' ? [200, null] : [499, 'client_gone'],
    );
  }
});

test('a route or limit that looks at Host sees the authority of HTTP/2', async () => {
  await using backend = await startBackend(answer({ body: 'open' }));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      ...H2C,
      route: { rateLimits: [{ key: 'header:host', rate: '1/h', burst: 2 }] },
      routes: [
        {
          name: 'guarded',
          match: { path: { prefix: '/' }, headers: { host: 'admin.test' } },
          respond: { status: 403, body: 'guarded' },
        },
      ],
    }),
  );
  const over1 = await fetchRaw(proxy.target(), '/', { headers: ['Host', 'admin.test'] });
  const client = await connectHttp2(proxy.target());
  for (const authority of ['admin.test', 'ADMIN.test']) {
    const over2 = await client.request('/', { ':authority': authority }).answer;
    assert.deepEqual([over1.status, over2.status], [403, 403], authority);
  }
  assert.equal((await client.request('/').answer).text, 'open');
  const asked = async (authority: string) =>
    (await client.request('/', { ':authority': authority }).answer).status;
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200, 'the second of app.test');
  assert.equal(await asked('APP.test'), 429, 'one allowance for a host, in both protocols and in any case');
  assert.equal(await asked('other.test'), 200, 'another host has its own');
  await client.close();
});

test('what one rate limit refuses does not use up another', async () => {
  await using backend = await startBackend(answer({}));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      route: {
        rateLimits: [
          { key: 'route', rate: '3/h', burst: 3 },
          { key: 'header:x-user', rate: '1/h', burst: 1 },
        ],
      },
    }),
  );
  const ask = async (user: string) =>
    (await fetchRaw(proxy.target(), '/', { headers: ['Host', 'a', 'X-User', user] })).status;
  const given: number[] = [];
  for (const user of ['a', 'a', 'a', 'a', 'b', 'c', 'd']) given.push(await ask(user));
  assert.deepEqual(given, [200, 429, 429, 429, 200, 200, 429]);
});

const TLS = {
  tls: { certificates: [{ certFile: certificates.server.certFile, keyFile: certificates.server.keyFile }] },
};

test('plain HTTP on a TLS listener gets an explanation; other failed handshakes are counted and logged', async () => {
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], { listener: TLS, admin: { address: '127.0.0.1:0' } }),
  );
  const { port } = proxy.target();
  const plain = await fetchRaw({ port }, '/');
  assert.equal(plain.status, 400);
  assert.match(plain.text, /This port requires TLS: use https:/);
  await proxy.lines.next({ event: 'tls_refused', cause: 'plain_http' });

  const shake = (options: tls.ConnectionOptions) =>
    new Promise(resolve => {
      const socket = tls.connect({ port, rejectUnauthorized: false, ...options });
      socket.on('error', resolve).on('secureConnect', () => socket.destroy());
    });
  await shake({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
  assert.match(
    String((await proxy.lines.next({ event: 'tls_refused', cause: 'version' })).code),
    /^ERR_SSL_/,
  );
  await shake({ ALPNProtocols: ['spdy/3'] });
  await proxy.lines.next({ event: 'tls_refused', cause: 'alpn' });
  const { text } = await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] });
  assert.match(text, /fairlead_tls_refused_total\{listener="main",cause="plain_http"\} 1\n/);
  assert.match(text, /fairlead_tls_refused_total\{listener="main",cause="alpn"\} 1\n/);
});

test('a stream that is refused does not end the others on its connection', async () => {
  let finish = () => {};
  const finished = new Promise<void>(resolve => {
    finish = resolve;
  });
  await using backend = await startBackend(after(finished, answer({ body: 'done' })));
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, limits: { bodyBytes: '1KiB' } } }),
  );
  const client = await connectHttp2(proxy.target());
  let isLeaving = false;
  void client.goAway.then(() => {
    isLeaving = true;
  });
  const slow = client.request('/slow').answer;
  await backend.requestCount(1);
  const upload = client.request('/upload', { ':method': 'POST', 'content-length': '2000' }, 'open');
  assert.equal((await upload.head).status, 413);
  assert.equal((await client.request('/%00').answer).status, 400);
  finish();
  assert.equal((await slow).text, 'done');
  assert.equal((await client.request('/again').answer).status, 200);
  assert.equal(isLeaving, false);
  upload.stream.destroy();
  await client.close();
});

test('a burst above the stream limit costs its own streams, not the connection', async () => {
  await using backend = await startBackend(answer({ body: 'done' }));
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener: { h2c: true, http2: { maxConcurrentStreams: 5 } } }),
  );
  using client = connectFrames(proxy.target());
  // All before a byte of our SETTINGS was read: a client may presume that there is no limit (RFC 9113 section 6.5.2).
  for (let stream = 1; stream <= 801; stream += 2) client.headers(stream, 'POST', '/', false);
  client.ping();
  await client.ponged; // the connection is still good
  for (const stream of [1, 3]) client.data(stream, 1);
  await backend.requestCount(2);
});

test('curl reads the answer to an upload that was refused early', needs('curl'), async () => {
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], { listener: { h2c: true, limits: { bodyBytes: '1KiB' } } }),
  );
  const file = join(mkdtempSync(join(tmpdir(), 'fairlead-upload-')), 'upload');
  writeFileSync(file, Buffer.alloc(4 << 20));
  const url = `http://127.0.0.1:${proxy.target().port}/`;
  for (const version of ['--http2-prior-knowledge', '--http1.1']) {
    const args = [
      '-s',
      '-m',
      '20',
      version,
      '-H',
      'Expect:',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-T',
      file,
      url,
    ];
    const { stdout } = await run(program('curl'), args).catch(error => error as { stdout: string });
    assert.equal(stdout, '413', version);
  }
  rmSync(dirname(file), { recursive: true });
});

test('over HTTP/2 too, a client that leaves an event stream has had what it wanted', async () => {
  await using backend = await startBackend(request => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    request.socket.write(`${head}3\r\nabc\r\n`);
    return 'over';
  });
  await using proxy = await startProxy(forwardTo([backend.address], H2C));
  const client = await connectHttp2(proxy.target());
  const { stream, head } = client.request('/events');
  assert.equal((await head).status, 200);
  stream.close(8); // CANCEL, as a browser says it
  const line = await proxy.lines.next({ path: '/events' });
  assert.deepEqual([line.status, line.reason ?? null], [200, null]);
  await client.close();
});

test('each of several pipelined requests has its log line when the client leaves', async () => {
  await using backend = await startBackend(() => 'over'); // never answers
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  const post = 'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  await client.send(Buffer.concat([formatRequest('/1'), Buffer.from(post), formatRequest('/3')]));
  while (backend.requests.length < 3) await new Promise(setImmediate);
  client.destroy();
  for (const path of ['/1', '/2', '/3'])
    assert.equal((await proxy.lines.next({ path })).reason, 'client_gone', path);
});

test('an HTTP/2 upload that is answered early is not reset together with its answer', async () => {
  await using proxy = await startProxy(forwardTo(['127.0.0.1:1'], H2C));
  const resets: number[] = [];
  using client = connectFrames(proxy.target(), { onReset: stream => resets.push(stream) });
  client.headers(1, 'POST', '/', false);
  await proxy.lines.next({ status: 502 }); // the answer is out
  client.data(1, 100);
  client.ping();
  await client.ponged;
  assert.deepEqual(resets, []); // some clients drop an answer whose stream is reset in the same packet
});
