// Behind a load balancer that speaks the PROXY protocol: the client is who the header says, whatever protocol comes behind it, and
// whoever may not write a header, or writes something else, gets nowhere.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { answer, echo, tunnel, webSocketEcho } from '../support/backend_behaviours.ts';
import { ca, caFile, client, elsewhere, server } from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { ipv4Addresses, ipv6Addresses, proxyV1, proxyV2 } from '../support/proxy_headers.ts';
import { type ProxyInProcess, startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type RawClient } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const CLIENT = '203.0.113.7';
const UNKNOWN = 'PROXY UNKNOWN\r\n';
const LOCAL = { headers: ['Host', 'localhost'] };
const CERTIFICATE = { certificates: [{ certFile: server.certFile, keyFile: server.keyFile }] };

function behindBalancer(endpoint: string, listener: object = {}, rest: ForwardOptions = {}) {
  return forwardTo([endpoint], {
    admin: { address: '127.0.0.1:0' },
    ...rest,
    listener: { proxyProtocol: { required: true, from: ['127.0.0.1'] }, ...listener },
  });
}

/** Resolves when it is over; a reset may come before the client has seen its connection, or after. */
async function isReset(proxy: ProxyInProcess, bytes: Buffer | string, localAddress = '127.0.0.1') {
  const target = { ...proxy.target(), localAddress };
  const client = await connectRaw(target).catch(error => {
    assert.equal(error.code, 'ECONNRESET');
    return null;
  });
  if (client === null) return;
  using held = client;
  void held.send(bytes);
  assert.equal(await held.ended, 'reset');
}

for (const [version, header] of Object.entries({ 1: proxyV1(CLIENT), 2: proxyV2() }))
  test(`the client of a version ${version} header is the client for backends and the log, in one packet or byte by byte`, async () => {
    await using backend = await startBackend(answer({ body: 'hello' }));
    await using proxy = await startProxy(behindBalancer(backend.address));
    const all = Buffer.concat([header, formatRequest('/')]);
    for (const [round, size] of [all.length, 1].entries()) {
      using client = await connectRaw(proxy.target());
      for (let at = 0; at < all.length; at += size) await client.send(all.subarray(at, at + size));
      assert.equal((await client.answer()).text, 'hello');
      await client.send(formatRequest('/again'));
      assert.equal(
        (await client.answer()).text,
        'hello',
        'the header is for the connection, not for a request',
      );
      for (const path of ['/', '/again']) {
        const line = await proxy.lines.next({ path }, round + 1);
        assert.deepEqual([line['clientIp'], line['peerIp']], [CLIENT, '127.0.0.1']);
      }
    }
    for (const { headers } of backend.requests) {
      assert.equal(value(headers, 'x-forwarded-for'), CLIENT);
      assert.equal(value(headers, 'x-forwarded-port'), '443', 'the port that the client came to');
      assert.match(value(headers, 'forwarded') ?? '', /^for=203\.0\.113\.7;/);
    }
  });

test('the header comes before TLS, with HTTP/1.1 and HTTP/2 behind it', async () => {
  await using backend = await startBackend(answer({ body: 'hello' }));
  await using proxy = await startProxy(behindBalancer(backend.address, { tls: CERTIFICATE }));
  const { port } = proxy.target();
  const tls = { ca, servername: 'app.test' };
  const addresses = ipv6Addresses('20010db8000000000000000000000007', 443);
  const over1 = await fetchRaw({ port, tls, proxyHeader: proxyV2({ family: 0x21, addresses }) }, '/one');
  assert.equal(over1.text, 'hello');
  const session = await connectHttp2({ port, tls, proxyHeader: proxyV1('2001:db8::8') });
  assert.equal((await session.request('/two').answer).text, 'hello');
  await session.close();
  for (const [path, protocol, ip] of [
    ['/one', 'HTTP/1.1', '2001:db8::7'],
    ['/two', 'HTTP/2.0', '2001:db8::8'],
  ]) {
    const line = await proxy.lines.next({ path });
    assert.deepEqual([line['protocol'], line['clientIp'], line['tls']], [protocol, ip, 'TLSv1.3']);
  }
});

test('behind the header TLS is what it is without: client certificates, names, and a limit on handshakes', async () => {
  await using backend = await startBackend(echo());
  const tls = {
    certificates: [server, elsewhere].map(({ certFile, keyFile }) => ({ certFile, keyFile })),
    clientCertificate: { mode: 'required', caFile },
  };
  await using proxy = await startProxy(behindBalancer(backend.address, { tls, limits: { handshakes: 1 } }));
  const options = { ca, servername: 'elsewhere.test', cert: client.cert, key: client.key };
  const target = { ...proxy.target(), tls: options, proxyHeader: proxyV2() };
  const headers = ['Host', 'elsewhere.test', 'X-Client-Cert-Subject', 'CN=root'];
  const { text } = await fetchRaw(target, '/', { headers });
  assert.match(text, /"X-Client-Cert-Subject","CN=Fairlead test client"/);
  assert.match(text, new RegExp(`"X-Forwarded-For","${CLIENT}"`));
  assert.doesNotMatch(text, /root/);
  const line = await proxy.lines.next({ path: '/', status: 200 });
  assert.deepEqual([line['clientIp'], line['clientCertificate']], [CLIENT, 'CN=Fairlead test client']);

  const shaken = async (session?: Buffer) => {
    const socket = connectTls({
      ...options,
      maxVersion: 'TLSv1.2',
      socket: inOnePacket(proxy, proxyV2()),
      ...(session === undefined ? {} : { session }),
    });
    await once(socket, 'secureConnect');
    return socket;
  };
  const first = await shaken();
  const session = first.getSession();
  first.destroy();
  const second = await shaken(session);
  assert.equal(second.isSessionReused(), true);
  second.write(formatRequest('/other', { headers: ['Host', 'app.test'] }));
  const [head] = (await once(second, 'data')) as [Buffer];
  assert.match(String(head), /^HTTP\/1\.1 421 /);
  second.destroy();
  assert.equal((await proxy.lines.next({ path: '/other' }))['clientIp'], CLIENT);

  using slow = await connectRaw(proxy.target());
  await slow.send(Buffer.concat([proxyV2(), Buffer.from([0x16, 3, 1])])); // the beginning of a ClientHello
  const isServed = () => fetchRaw(target, '/', { headers }).then(Boolean, () => false);
  while (await isServed()); // until the proxy has read these bytes
  await proxy.lines.next({ event: 'connections_refused', cause: 'handshakes' });
});

/** A connection whose first packet has the header and what is written first. */
function inOnePacket(proxy: ProxyInProcess, header: Buffer): Duplex {
  const socket = net.connect({ ...proxy.target(), noDelay: true });
  let waiting = header;
  const joined = new Duplex({
    read: () => {},
    write(chunk: Buffer, _, done) {
      socket.write(Buffer.concat([waiting, chunk]), done);
      waiting = Buffer.alloc(0);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', chunk => joined.push(chunk));
  socket.on('error', error => joined.destroy(error));
  socket.on('close', () => joined.destroy());
  return joined;
}

test('the header comes before HTTP/2 in clear, and protocol detection sees what is behind it', async () => {
  await using backend = await startBackend(answer({ body: 'hello' }));
  await using proxy = await startProxy(behindBalancer(backend.address, { h2c: true }));
  const { port } = proxy.target();
  const session = await connectHttp2({ port, proxyHeader: proxyV2() });
  assert.equal((await session.request('/two').answer).text, 'hello');
  await session.close();
  assert.equal((await fetchRaw({ port, proxyHeader: proxyV2() }, '/one')).text, 'hello');
  for (const [path, protocol] of [
    ['/two', 'HTTP/2.0'],
    ['/one', 'HTTP/1.1'],
  ]) {
    const line = await proxy.lines.next({ path });
    assert.deepEqual([line['protocol'], line['clientIp']], [protocol, CLIENT]);
  }
});

test('a WebSocket behind a header loses no byte of what comes with it', async () => {
  await using backend = await startBackend(webSocketEcho());
  await using proxy = await startProxy(behindBalancer(backend.address));
  const handshake = formatRequest('/socket', {
    headers: [
      ...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'],
      ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ],
  });
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]); // text "hi", masked with zeros
  using client = await connectRaw(proxy.target());
  await client.send(Buffer.concat([proxyV2(), handshake, frame]));
  assert.equal((await client.head()).status, 101);
  assert.equal((await client.reader.exactly(4)).toString('latin1'), '\x81\x02hi');
  client.destroy();
  assert.equal((await proxy.lines.next({ path: '/socket' }))['clientIp'], CLIENT);
});

test('where the balancer speaks for itself, it is the client: health checks', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address, { healthPath: '/-/ready' }));
  const local = proxyV2({ command: 0, family: 0, addresses: Buffer.alloc(0) });
  for (const [round, proxyHeader] of [local, Buffer.from(UNKNOWN)].entries()) {
    const { status, text } = await fetchRaw({ ...proxy.target(), proxyHeader }, '/-/ready');
    assert.deepEqual([status, text], [200, 'ready\n']);
    assert.equal((await proxy.lines.next({ path: '/-/ready' }, round + 1))['clientIp'], '127.0.0.1');
  }
  const header = proxyV2();
  assert.equal((await fetchRaw({ ...proxy.target(), proxyHeader: header }, '/-/ready')).status, 200);
  assert.equal(backend.requests.length, 0);
});

test('a connection from elsewhere is reset, counted and told, header or not', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address));
  await isReset(proxy, Buffer.concat([proxyV1('10.0.0.1'), formatRequest('/')]), '127.0.0.2');
  const line = await proxy.lines.next({ event: 'proxy_protocol_refused' });
  assert.deepEqual(
    [line['listener'], line['cause'], line['peerIp'], line['count'], line['level']],
    ['main', 'stranger', '127.0.0.2', 1, 40],
  );
  await isReset(proxy, formatRequest('/'), '127.0.0.3');
  const again = await proxy.lines.next({ event: 'proxy_protocol_refused' }, 2);
  assert.equal(again['peerIp'], '127.0.0.3', 'of the last one');
  const { text } = await fetchRaw(proxy.admin(), '/metrics', LOCAL);
  assert.match(text, /fairlead_proxy_protocol_refused_total\{listener="main",cause="stranger"\} 2\n/);
  const page = await fetchRaw(proxy.admin(), '/', LOCAL);
  assert.match(page.text, /main: 2 connections were refused in the last minute: their PROXY protocol header/);
  assert.equal(backend.requests.length, 0);
});

for (const [cause, bytes] of Object.entries({
  not_proxy: formatRequest('/'),
  malformed: Buffer.concat([Buffer.from('PROXY TCP4 a b c d\r\n'), formatRequest('/')]),
  too_long: proxyV2({ length: 60_000 }),
}))
  test(`what is ${cause} reaches nobody: it is reset, counted and told`, async () => {
    await using backend = await startBackend(answer());
    await using proxy = await startProxy(behindBalancer(backend.address));
    await isReset(proxy, bytes);
    const line = await proxy.lines.next({ event: 'proxy_protocol_refused' });
    assert.deepEqual([line['cause'], line['peerIp']], [cause, '127.0.0.1']);
    assert.deepEqual([backend.requests.length, proxy.lines.find({ path: '/' }).length], [0, 0]);
  });

test('a header that does not come in time costs its connection, and one that never begins as well', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    behindBalancer(backend.address, { timeouts: { proxyHeader: '80ms' } }),
  );
  await isReset(proxy, 'PROXY TCP4 203.0');
  await isReset(proxy, '');
  assert.equal((await proxy.lines.next({ event: 'proxy_protocol_refused' }))['cause'], 'timeout');
});

test('a second header is no request, and a stranger behind the balancer cannot name itself', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address));
  using client = await connectRaw(proxy.target());
  await client.send(Buffer.concat([proxyV1(CLIENT), proxyV1('10.0.0.1'), formatRequest('/')]));
  assert.equal((await client.answer()).status, 400);
  assert.equal((await proxy.lines.next({ status: 400 }))['clientIp'], CLIENT);
  assert.equal(backend.requests.length, 0);
});

test('connections are limited for each client of the balancer, and the balancer is not one', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address, { limits: { connectionsPerIp: 2 } }));
  const open = async (ip: string) => {
    const client = await connectRaw({ ...proxy.target(), proxyHeader: proxyV1(ip) });
    await client.send(formatRequest('/'));
    return client;
  };
  const clients = [
    await open(CLIENT),
    await open(CLIENT),
    await open('203.0.113.8'),
    await open('203.0.113.9'),
  ];
  for (const client of clients) assert.equal((await client.answer()).status, 200);
  const third = await open(CLIENT);
  assert.equal(await third.ended, 'reset');
  assert.equal((await proxy.lines.next({ event: 'connections_refused' }))['cause'], 'clientIp');
  clients[0]?.destroy();
  await backend.requestCount(4);
  for (const client of clients) client.destroy();
});

test('tunnels are limited for each client of the balancer, and not where the balancer speaks for itself', async () => {
  await using backend = await startBackend(tunnel(() => {}));
  await using proxy = await startProxy(behindBalancer(backend.address, { limits: { tunnelsPerIp: 1 } }));
  const clients: RawClient[] = [];
  const handshake = async (header: Buffer | string) => {
    const client = await connectRaw(proxy.target());
    clients.push(client);
    await client.send(
      Buffer.concat([
        Buffer.from(header),
        formatRequest('/', { headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] }),
      ]),
    );
    return (await client.head()).status;
  };
  const headers = [proxyV1(CLIENT), proxyV1(CLIENT), proxyV1('203.0.113.8'), UNKNOWN, UNKNOWN];
  const statuses = [];
  for (const header of headers) statuses.push(await handshake(header));
  assert.deepEqual(statuses, [101, 429, 101, 101, 101]);
  for (const client of clients) client.reset();
});

test('what the balancer has open without a client is not limited by address', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address, { limits: { connectionsPerIp: 1 } }));
  const checks = [];
  for (let count = 0; count < 3; count++) checks.push(await connectRaw(proxy.target()));
  for (const check of checks) {
    await check.send(Buffer.concat([Buffer.from(UNKNOWN), formatRequest('/')]));
    assert.equal((await check.answer()).status, 200);
  }
  for (const check of checks) check.destroy();
});

test('access lists, rate limits and trusted proxies go by the address of the header', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    behindBalancer(
      backend.address,
      { access: { deny: ['203.0.113.66'] }, trustedProxies: ['198.51.100.1'] },
      { route: { rateLimits: [{ key: 'clientIp', rate: '1/m' }] } },
    ),
  );
  const ask = async (ip: string, headers: readonly string[] = []) =>
    (await fetchRaw({ ...proxy.target(), proxyHeader: proxyV1(ip) }, '/', { headers })).status;
  assert.equal(await ask('203.0.113.66'), 403);
  assert.deepEqual([await ask(CLIENT), await ask(CLIENT), await ask('203.0.113.8')], [200, 429, 200]);
  const forged = ['X-Forwarded-For', '203.0.113.9'];
  assert.equal(await ask(CLIENT, forged), 429, 'a client is not believed because its balancer is');
  assert.equal(await ask('198.51.100.1', forged), 200, 'a proxy in front of the balancer is');
  const chain = backend.requests.map(({ headers }) => value(headers, 'x-forwarded-for'));
  assert.deepEqual(chain, [CLIENT, '203.0.113.8', '203.0.113.9, 198.51.100.1']);
});

test('a decision record says where the client comes from', async () => {
  await using backend = await startBackend(answer({ status: 503 }));
  await using proxy = await startProxy(behindBalancer(backend.address, { trustedProxies: ['198.51.100.1'] }));
  const from = async (ip: string, headers: readonly string[]) => {
    const failed = await fetchRaw({ ...proxy.target(), proxyHeader: proxyV1(ip) }, '/', { headers });
    const id = value(failed.headers, 'x-request-id');
    const { text } = await fetchRaw(proxy.admin(), `/requests/${id}`, LOCAL);
    const { client, clientFrom } = JSON.parse(text);
    return [client.ip, client.peer, clientFrom];
  };
  const forwarded = ['X-Forwarded-For', '203.0.113.9'];
  assert.deepEqual(await from(CLIENT, forwarded), [
    CLIENT,
    '127.0.0.1',
    'the PROXY protocol, from the load balancer 127.0.0.1',
  ]);
  assert.deepEqual(await from('198.51.100.1', forwarded), [
    '203.0.113.9',
    '127.0.0.1',
    'X-Forwarded-For, from the trusted proxy 198.51.100.1',
  ]);
});

test('headers that are still to come are bounded', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    behindBalancer(backend.address, { limits: { pendingProxyHeaders: 1 } }),
  );
  using waiting = await connectRaw(proxy.target());
  await waiting.send('PROXY ');
  await isReset(proxy, proxyV1(CLIENT));
  assert.equal((await proxy.lines.next({ event: 'proxy_protocol_refused' }))['cause'], 'pending');
  await waiting.send(Buffer.concat([Buffer.from('UNKNOWN\r\n'), formatRequest('/')]));
  assert.equal((await waiting.answer()).status, 200);
});

test('a check that only connects leaves no line', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(behindBalancer(backend.address));
  using check = await connectRaw(proxy.target());
  check.finish();
  await check.ended;
  assert.equal((await fetchRaw({ ...proxy.target(), proxyHeader: proxyV1(CLIENT) }, '/')).status, 200);
  assert.deepEqual(proxy.lines.find({ event: 'proxy_protocol_refused' }), []);
});

test('a reload switches the PROXY protocol on and off for connections that come then, and open ones go on', async () => {
  await using backend = await startBackend(echo());
  const off = forwardTo([backend.address]);
  await using proxy = await startProxy(off);
  using before = await connectRaw(proxy.target());
  await before.send(formatRequest('/'));
  assert.equal((await before.answer()).status, 200);
  proxy.rewrite(behindBalancer(backend.address, {}, { admin: 'off' }));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  await isReset(proxy, formatRequest('/'));
  assert.equal((await fetchRaw({ ...proxy.target(), proxyHeader: proxyV1(CLIENT) }, '/')).status, 200);
  await before.send(formatRequest('/'));
  assert.equal((await before.answer()).status, 200);
  proxy.rewrite(off);
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('a balancer on a Unix socket is named unix', async () => {
  await using backend = await startBackend(answer());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-proxy-header-'));
  try {
    const listener = { address: `unix:${join(folder, 'in.sock')}` };
    const unix = { ...listener, proxyProtocol: { required: true, from: ['unix'] } };
    await using proxy = await startProxy(behindBalancer(backend.address, unix));
    assert.equal((await fetchRaw({ ...proxy.target(), proxyHeader: proxyV2() }, '/')).status, 200);
    assert.equal(value(backend.requests[0]?.headers ?? [], 'x-forwarded-for'), CLIENT);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a drain of the process does not wait for a header that never comes', async () => {
  await using backend = await startBackend(answer());
  const proxy = await startProxyProcess(
    behindBalancer(
      backend.address,
      { timeouts: { proxyHeader: '1h' } },
      { process: { drain: { timeout: '1h' } } },
    ),
  );
  using waiting = await connectRaw(proxy.target());
  await waiting.send('PROXY TCP4');
  const served = await fetchRaw(
    { ...proxy.target(), proxyHeader: proxyV2({ addresses: ipv4Addresses(CLIENT, 80) }) },
    '/',
  );
  assert.equal(served.status, 200);
  await turn();
  proxy.signal('SIGTERM');
  assert.equal(await proxy.ended, 0);
  await waiting.ended;
});
