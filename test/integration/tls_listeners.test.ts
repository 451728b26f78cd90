// TLS of a listener as clients, backends and operators meet it: real handshakes with a whole proxy.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import tls, { type ConnectionOptions } from 'node:tls';
import { echo } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const { ca, caFile, client, elsewhere, server, stranger } = certificates;
const files = ({ certFile, keyFile }: certificates.KeyPair) => ({ certFile, keyFile });
const CLIENT = { cert: client.cert, key: client.key };
const asking = (mode: 'optional' | 'required') => ({ clientCertificate: { mode, caFile } });

async function withTls(
  settings: Readonly<Record<string, unknown>>,
  use: (proxy: ProxyInProcess) => Promise<void>,
  options: Parameters<typeof forwardTo>[1] = {},
): Promise<void> {
  await using backend = await startBackend(echo());
  const listener = { tls: { certificates: [files(server), files(elsewhere)], ...settings } };
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener,
      listeners: { plain: { address: '127.0.0.1:0' } },
      admin: { address: '127.0.0.1:0' },
      ...options,
    }),
  );
  await use(proxy);
}

/** One request over TLS; the backend answers with what it was sent. */
const ask = (
  proxy: ProxyInProcess,
  options: ConnectionOptions = {},
  headers: readonly string[] = [],
  servername = 'app.test',
) => fetchRaw({ ...proxy.target(), tls: { ca, servername, ...options } }, '/', { headers });

/** The code of the error that ends a handshake, or of the connection behind it. */
async function refusalOf(proxy: ProxyInProcess, options: ConnectionOptions): Promise<string> {
  const socket = tls.connect({
    port: proxy.target().port,
    host: '127.0.0.1',
    ca,
    servername: 'app.test',
    ...options,
  });
  socket.on('secureConnect', () => socket.write(formatRequest('/'))); // TLS 1.3: the client is through before it is judged
  socket.resume();
  let code = 'closed';
  socket.on('error', (error: Error & { code?: string }) => {
    code = error.code ?? error.message;
  });
  await once(socket, 'close').catch(() => {});
  return code;
}

const metrics = async (proxy: ProxyInProcess) =>
  (await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] })).text;

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version } as const;

  test(`a backend is told whose certificate the client has shown, and the log too (${version})`, async () => {
    await withTls(asking('required'), async proxy => {
      const forged = [
        'X-Client-Cert-Subject',
        'CN=root',
        'x-client-cert-verified',
        'yes',
        'Client-Cert',
        ':AA:',
      ];
      const { status, text } = await ask(proxy, { ...only, ...CLIENT }, forged);
      assert.equal(status, 200);
      assert.match(text, /"X-Client-Cert-Subject","CN=Fairlead test client"/);
      assert.match(text, /"X-Client-Cert-San","DNS:client\.test"/);
      assert.match(text, /"X-Client-Cert-Sha256","[0-9a-f]{64}"/);
      assert.doesNotMatch(text, /root|verified|:AA:/i);
      const line = await proxy.lines.next({ status: 200 });
      assert.deepEqual([line['tls'], line['clientCertificate']], [version, 'CN=Fairlead test client']);
    });
  });

  test(`without the certificate that is required there is no connection, counted and told (${version})`, async () => {
    await withTls(asking('required'), async proxy => {
      const none = await refusalOf(proxy, only);
      assert.match(none, version === 'TLSv1.3' ? /CERTIFICATE_REQUIRED/ : /HANDSHAKE_FAILURE/);
      const first = await proxy.lines.next({ event: 'tls_refused', cause: 'certificate' });
      assert.equal(first['code'], 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
      await refusalOf(proxy, { ...only, cert: stranger.cert, key: stranger.key });
      await proxy.lines.next({ event: 'tls_refused', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      assert.deepEqual(proxy.lines.find({ path: '/' }), [], 'no request came through');
      assert.match(
        await metrics(proxy),
        /fairlead_tls_refused_total\{listener="main",cause="certificate"\} 2\n/,
      );
    });
  });

  test(`where a certificate is optional, none is fine and one that is not valid gets 400 (${version})`, async () => {
    await withTls(asking('optional'), async proxy => {
      const none = await ask(proxy, only);
      assert.equal(none.status, 200);
      assert.doesNotMatch(none.text, /X-Client-Cert/i);
      assert.match((await ask(proxy, { ...only, ...CLIENT })).text, /"X-Client-Cert-Subject"/);
      const invalid = await ask(proxy, { ...only, cert: stranger.cert, key: stranger.key });
      assert.equal(invalid.status, 400);
      const line = await proxy.lines.next({ status: 400 });
      assert.match(String(line['detail']), /client certificate is not valid: DEPTH_ZERO_SELF_SIGNED_CERT/);
      await proxy.lines.next({ event: 'tls_refused', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    });
  });
}

test('fields about a certificate from a client are removed on a listener without TLS and behind a trusted proxy too', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      listener: { trustedProxies: ['127.0.0.0/8'], headers: { underscores: 'keep' } },
    }),
  );
  const headers = ['X-Client-Cert-Subject', 'CN=root', 'X_Client_Cert_San', 'DNS:root', 'X-Kept', 'yes'];
  const { text } = await fetchRaw(proxy.target(), '/', { headers });
  assert.match(text, /"X-Kept"/);
  assert.doesNotMatch(text, /root/);
});

test('a request for a host that the certificate of its connection is not for is misdirected, and only then', async () => {
  await withTls({ misdirected: 'reject' }, async proxy => {
    const statusOf = async (servername: string, host: string) =>
      (await ask(proxy, { rejectUnauthorized: false }, ['Host', host], servername)).status;
    for (const host of ['app.test', 'x.app.test', 'LOCALHOST:8443', '127.0.0.1', '[::1]:443'])
      assert.equal(await statusOf('app.test', host), 200, host);
    for (const host of ['elsewhere.test', 'a.b.app.test', '127.0.0.2'])
      assert.equal(await statusOf('app.test', host), 421, host);
    assert.equal(await statusOf('elsewhere.test', 'app.test'), 421);
    const line = await proxy.lines.next({ reason: 'misdirected_request' });
    assert.equal(line['status'], 421);
    assert.equal(
      await statusOf('unknown.test', 'whatever.test'),
      200,
      'the default certificate was not asked for',
    );
    assert.equal(await statusOf('', 'whatever.test'), 200, 'no server name');
  });
});

test('a session that is resumed with TLS 1.2 is no way around that, also not in small pieces', async () => {
  await withTls({ misdirected: 'reject' }, async proxy => {
    const options = { ca, servername: 'elsewhere.test', maxVersion: 'TLSv1.2' } as const;
    const connect = (session: Buffer | null, socket = net.connect(proxy.target())) =>
      tls.connect({ ...options, socket, ...(session === null ? {} : { session }) });
    const first = connect(null);
    await once(first, 'secureConnect');
    const session = first.getSession() ?? null;
    first.destroy();
    const statusOn = async (socket: tls.TLSSocket, host: string) => {
      await once(socket, 'secureConnect');
      assert.equal(socket.isSessionReused(), true);
      socket.write(formatRequest('/', { headers: ['Host', host, 'Connection', 'close'] }));
      const [head] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return head.toString().slice(9, 12);
    };
    assert.equal(await statusOn(connect(session), 'elsewhere.test'), '200');
    assert.equal(await statusOn(connect(session), 'app.test'), '421');
    assert.equal(await statusOn(connect(session, await inPieces(proxy)), 'app.test'), '421');
  });
});

/** A connection on which the first byte goes out alone. */
async function inPieces(proxy: ProxyInProcess): Promise<net.Socket> {
  const relay = net.createServer({ noDelay: true });
  const { promise: relayed, resolve } = Promise.withResolvers<void>();
  relay.once('connection', near => {
    const far = net.connect({ ...proxy.target(), noDelay: true });
    near.once('data', async (hello: Buffer) => {
      far.write(hello.subarray(0, 1));
      // The proxy reads in the same event loop: it has taken the byte by then.
      for (let turns = 0; turns < 20; turns++) await turn();
      far.write(hello.subarray(1));
      near.pipe(far);
    });
    far.pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {}).on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    resolve();
  });
  await new Promise<void>(listening => relay.listen(0, '127.0.0.1', listening));
  const { port } = relay.address() as net.AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  await relayed;
  relay.close();
  return socket;
}

test('HTTP/2 clients may use one connection for all names of its certificate, and hear 421 for others', async () => {
  await withTls(asking('optional'), async proxy => {
    const session = await connectHttp2({ ...proxy.target(), tls: { ca, servername: 'app.test' } });
    const statusFor = async (authority: string) =>
      (await session.request('/', { ':authority': authority }).answer).status;
    assert.equal(await statusFor('app.test'), 200);
    assert.equal(await statusFor('other.app.test'), 200);
    assert.equal(await statusFor('elsewhere.test'), 421);
    assert.equal(await statusFor('app.test'), 200, 'the connection goes on');
    await session.close();
  });
});

test('without client certificates any host is routed, whatever the certificate', async () => {
  await withTls({}, async proxy => {
    assert.equal((await ask(proxy, {}, ['Host', 'elsewhere.test'])).status, 200);
  });
});

test('a client cannot renegotiate', async () => {
  await withTls({}, async proxy => {
    const socket = tls.connect({ ...proxy.target(), ca, servername: 'app.test', maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    socket.resume();
    const failed = new Promise<Error>(resolve => socket.once('error', resolve));
    socket.renegotiate({}, error => {
      if (error === null) socket.destroy(new Error('it has renegotiated'));
    });
    assert.match((await failed).message, /no renegotiation/);
    socket.destroy();
  });
});

test('more handshakes than allowed are refused by that name, and again served when there is room', async () => {
  const limits = { handshakes: 1 };
  await using backend = await startBackend(echo());
  const listener = { tls: { certificates: [files(server)] }, limits };
  await using proxy = await startProxy(
    forwardTo([backend.address], { listener, admin: { address: '127.0.0.1:0' } }),
  );
  const slow = net.connect(proxy.target());
  slow.write(Buffer.from([0x16, 3, 1])); // the beginning of a ClientHello
  const isServed = () =>
    ask(proxy).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (await isServed()); // until the proxy has read these bytes
  await proxy.lines.next({ event: 'connections_refused', listener: 'main', cause: 'handshakes' });
  assert.match(
    await metrics(proxy),
    /fairlead_connections_refused_total\{listener="main",cause="handshakes"\} [1-9]/,
  );
  const closed = once(slow, 'close');
  slow.destroy();
  await closed;
  while (!(await isServed()));
});

/** Names beside the configuration, so that a test may replace what is behind them. */
const SITE = { certFile: 'site/tls.crt', keyFile: 'site/tls.key' };

function writeSite(folder: string, { certFile, keyFile }: certificates.KeyPair): void {
  mkdirSync(folder, { recursive: true });
  copyFileSync(certFile, join(folder, 'tls.crt'));
  copyFileSync(keyFile, join(folder, 'tls.key'));
}

test('renewed certificates are taken by themselves: links swapped, half-written pairs waited out, connections kept', async () => {
  await using backend = await startBackend(echo());
  const watched = { process: { reload: { watch: true } } };
  const configWith = (certificate: unknown) =>
    forwardTo([backend.address], { listener: { tls: { certificates: [certificate] } }, ...watched });
  await using proxy = await startProxy(configWith(files(server)));
  const folder = dirname(proxy.configFile);
  const subjectNow = async () => {
    const socket = tls.connect({ ...proxy.target(), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const subject = socket.getPeerX509Certificate()?.subject ?? '';
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    return subject;
  };
  // As Kubernetes mounts a secret: the files are links into a folder whose link is swapped.
  for (const [name, pair] of [
    ['one', server],
    ['two', stranger],
    ['three', elsewhere],
  ] as const)
    writeSite(join(folder, name), pair);
  symlinkSync('one', join(folder, 'site'));
  proxy.rewrite(configWith(SITE));
  await proxy.lines.next({ event: 'reload', trigger: 'watch', result: 'unchanged' });

  const options = { ca, servername: 'localhost' };
  using before = await connectRaw({ ...proxy.target(), tls: { ...options, maxVersion: 'TLSv1.2' } });
  let session: Buffer | null = (before.socket as tls.TLSSocket).getSession() ?? null;
  const swap = (target: string) => {
    symlinkSync(target, join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'site'));
  };
  // A broken file of the configuration is not in the way of a certificate.
  writeFileSync(proxy.configFile, 'broken: [');
  await proxy.lines.next({ event: 'reload', trigger: 'watch', result: 'rejected' });
  swap('two');
  await proxy.lines.next({ event: 'reload', trigger: 'certificates', result: 'applied' });
  assert.match(await subjectNow(), /localhost/);
  swap('three');
  await proxy.lines.next({ event: 'reload', trigger: 'certificates', result: 'applied' }, 2);
  assert.match(await subjectNow(), /elsewhere/);
  const resumed = tls.connect({
    ...proxy.target(),
    ...(session === null ? {} : { session }),
    servername: 'localhost',
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
  });
  await once(resumed, 'secureConnect');
  assert.equal(resumed.isSessionReused(), true, 'the key of the tickets has survived');
  session = null;
  resumed.destroy();

  // Only one file of the pair has been written.
  copyFileSync(server.certFile, join(folder, 'three/tls.crt'));
  const half = await proxy.lines.next({ event: 'reload', trigger: 'certificates', result: 'rejected' });
  assert.match(JSON.stringify(half['problems']), /site\/tls\.key is not the private key of site\/tls\.crt/);
  assert.match(await subjectNow(), /elsewhere/, 'the old pair serves');
  copyFileSync(server.keyFile, join(folder, 'three/tls.key'));
  await proxy.lines.next({ event: 'reload', trigger: 'certificates', result: 'applied' }, 3);
  assert.match(await subjectNow(), /localhost/);
  await before.send(formatRequest('/'));
  assert.equal((await before.answer()).status, 200, 'a connection from before all of this');
  rmSync(join(folder, 'site'));
});

test('a private key that others may read is warned of by a reload', async () => {
  await using backend = await startBackend(echo());
  const configWith = (pair: unknown) =>
    forwardTo([backend.address], { listener: { tls: { certificates: [pair] } } });
  await using proxy = await startProxy(configWith(files(server)));
  const folder = join(dirname(proxy.configFile), 'site');
  mkdirSync(folder);
  copyFileSync(elsewhere.certFile, join(folder, 'tls.crt'));
  writeFileSync(join(folder, 'tls.key'), elsewhere.key, { mode: 0o644 });
  proxy.rewrite(configWith(SITE));
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  const { message } = await proxy.lines.next({ event: 'warning' });
  assert.match(String(message), /site\/tls\.key is secret, but other users .*\(mode 0644\)/);
});

const onFreePorts = (name: string, backend: { readonly address: string }): string =>
  readFileSync(join(ROOT, 'examples', name), 'utf8')
    .replaceAll(/0\.0\.0\.0:\d+|127\.0\.0\.1:9901/g, '127.0.0.1:0')
    .replaceAll(/127\.0\.0\.1:900\d/g, backend.address)
    .replaceAll(/\$\{TLS_DIR:-[^}]*\}/g, dirname(caFile));

test('examples/tls.yaml serves two sites by name, and sends clients of plain HTTP to HTTPS', async () => {
  await using backend = await startBackend(echo());
  // Both of its endpoints would be the same one.
  const text = onFreePorts('tls.yaml', backend).replace(`, ${backend.address}]`, ']');
  await using proxy = await startProxy(text);
  for (const name of ['app.test', 'elsewhere.test']) {
    const target = { ...proxy.target('https'), tls: { ca, servername: name } };
    assert.equal((await fetchRaw(target, '/', { headers: ['Host', name] })).status, 200, name);
  }
  const { status, headers } = await fetchRaw(proxy.target('http'), '/a?b', {
    headers: ['Host', 'app.test:8080'],
  });
  assert.equal(status, 308);
  assert.ok(headers.includes('https://app.test/a?b'), headers.join(' '));
});

test('examples/mtls.yaml requires a certificate of services, and takes one from people', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(onFreePorts('mtls.yaml', backend));
  const askAt = async (listener: string, identity: object) => {
    const target = { ...proxy.target(listener), tls: { ca, servername: 'app.test', ...identity } };
    return (await fetchRaw(target, '/')).text;
  };
  assert.match(await askAt('services', CLIENT), /"X-Client-Cert-Subject","CN=Fairlead test client"/);
  await assert.rejects(askAt('services', {}));
  assert.match(await askAt('people', CLIENT), /X-Client-Cert-Sha256/);
  assert.doesNotMatch(await askAt('people', {}), /X-Client-Cert/);
});

test('two proxies with one key file resume the sessions of each other, and a new key is taken when the file changes', async () => {
  await using backend = await startBackend(echo());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tickets-'));
  const configWith = (name: string) => {
    const keyFile = join(folder, name);
    writeFileSync(keyFile, Buffer.alloc(48, 7), { mode: 0o600 });
    const tls = { certificates: [files(server)], sessionTickets: { keyFile } };
    return forwardTo([backend.address], { listener: { tls }, process: { reload: { watch: true } } });
  };
  await using one = await startProxy(configWith('one.key'));
  await using other = await startProxy(configWith('other.key'));
  const connect = async (proxy: ProxyInProcess, session: Buffer | null) => {
    const resuming = session === null ? {} : { session };
    const options = { ...proxy.target(), ca, servername: 'app.test', maxVersion: 'TLSv1.2' } as const;
    const socket = tls.connect({ ...options, ...resuming });
    await once(socket, 'secureConnect');
    const result = { reused: socket.isSessionReused(), session: socket.getSession() ?? null };
    socket.destroy();
    return result;
  };
  const { session } = await connect(one, null);
  assert.equal((await connect(other, session)).reused, true);
  writeFileSync(join(folder, 'other.key'), Buffer.alloc(47, 8));
  await other.lines.next({ event: 'reload', trigger: 'certificates', result: 'rejected' });
  assert.equal((await connect(other, session)).reused, true, 'a file of the wrong size changes nothing');
  writeFileSync(join(folder, 'other.key'), Buffer.alloc(48, 8));
  await other.lines.next({ event: 'reload', trigger: 'certificates', result: 'applied' });
  assert.equal((await connect(other, session)).reused, false, 'a full handshake, and no failure');
  rmSync(folder, { recursive: true });
});
