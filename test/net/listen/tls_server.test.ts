// TLS on real sockets, with a clock that the test moves: which certificate, which tickets, who is refused and counted.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ConnectionTable, type TlsFacts } from '../../../src/net/connection.ts';
import { TlsServer, type TlsServerSettings } from '../../../src/net/listen/tls_server.ts';
import { ca, client, device, elsewhere, rsa, server, stranger } from '../../support/certificates.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { serverTls } from '../../support/server_tls.ts';

checkLeaks();

const settingsOf = (settings = serverTls(), parts: Partial<TlsServerSettings> = {}): TlsServerSettings => ({
  tls: settings,
  http2: true,
  headMs: 10_000,
  handshakesMax: null,
  ...parts,
});

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly subject: TlsServer;
  readonly clock: FakeClock;
  /** What each refusal was called, in order. */
  readonly refusals: string[];
  readonly secured: TlsFacts[];
  /** How many connections were refused because of too many handshakes. */
  readonly tooMany: { count: number };
}

async function running(settings: TlsServerSettings): Promise<Running> {
  const clock = new FakeClock();
  const table = new ConnectionTable(clock);
  const refusals: string[] = [];
  const secured: TlsFacts[] = [];
  const tooMany = { count: 0 };
  const subject = new TlsServer(settings, {
    clock,
    onSecure: (socket, connection) => {
      assert(connection.tls !== null);
      secured.push(connection.tls);
      socket.end('hello');
    },
    onTooMany: socket => {
      tooMany.count++;
      socket.destroy();
    },
    onRefused: (cause, code) => refusals.push(`${cause} ${code}`),
  });
  const open = new Set<Socket>();
  const listening = net.createServer({ allowHalfOpen: true }, socket => {
    open.add(socket);
    socket.on('error', () => {});
    const limits = { processMax: 100, listenerMax: null, perIpMax: null, floodPenaltyMs: null };
    const connection = table.admit(socket, 'main', '127.0.0.1', '127.0.0.1', limits);
    assert(typeof connection !== 'string');
    subject.accept(socket, connection);
  });
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    for (const socket of open) socket.destroy();
    await new Promise(resolve => listening.close(resolve));
    clock.advance(10_000); // what is throttled has been said
  };
  const { port } = listening.address() as AddressInfo;
  return { port, subject, clock, refusals, secured, tooMany, [Symbol.asyncDispose]: stop };
}

interface Shaken {
  readonly issuerAndSubject: string | null;
  readonly keyType: string | null;
  readonly reused: boolean;
  readonly session: Buffer | null;
  /** What the server has sent; empty: it has closed the connection. */
  readonly text: string;
  readonly error: string | null;
}

/** A whole connection of a client that trusts everybody. */
async function shake(port: number, options: ConnectionOptions = {}): Promise<Shaken> {
  const socket: TLSSocket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let session: Buffer | null = null;
  let text = '';
  let error: string | null = null;
  let seen: Pick<Shaken, 'issuerAndSubject' | 'keyType' | 'reused'> = {
    issuerAndSubject: null,
    keyType: null,
    reused: false,
  };
  socket.on('session', next => {
    session = next;
  });
  socket.on('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    seen = {
      issuerAndSubject: certificate?.subject ?? null,
      keyType: certificate?.publicKey.asymmetricKeyType ?? null,
      reused: socket.isSessionReused(),
    };
  });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', (problem: Error & { code?: string }) => {
    error = problem.code ?? problem.message;
  });
  socket.on('end', () => socket.end());
  await once(socket, 'close').catch(() => {}); // an error comes first, and is remembered
  return { ...seen, session, text, error };
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

for (const version of VERSIONS) {
  const only = { minVersion: version, maxVersion: version } as const;

  test(`a client gets the certificate of the server that it names (${version})`, async () => {
    await using subject = await running(settingsOf(serverTls([server, elsewhere])));
    const subjectFor = async (servername?: string) =>
      (await shake(subject.port, { ...only, ...(servername === undefined ? {} : { servername }) }))
        .issuerAndSubject;
    assert.match((await subjectFor('elsewhere.test')) ?? '', /elsewhere/);
    for (const name of ['a.app.test', 'unknown.test', undefined])
      assert.match((await subjectFor(name)) ?? '', /localhost/, name ?? 'no name');
    assert.deepEqual(
      subject.secured.map(({ presented }) => presented?.dns[0] ?? null),
      ['elsewhere.test', 'localhost', null, null],
    );
    assert.equal(subject.secured[0]?.version, version);
  });

  test(`of two types of key a client gets the one that it can verify (${version})`, async () => {
    await using subject = await running(settingsOf(serverTls([server, rsa])));
    const typeFor = async (sigalgs: string) => (await shake(subject.port, { ...only, sigalgs })).keyType;
    assert.equal(await typeFor('ecdsa_secp256r1_sha256'), 'ec');
    assert.equal(await typeFor('rsa_pss_rsae_sha256'), 'rsa');
  });

  test(`sessions are resumed with tickets across changes of the certificate, until the key is replaced (${version})`, async () => {
    await using subject = await running(settingsOf(serverTls([server, elsewhere])));
    for (const servername of ['app.test', 'elsewhere.test']) {
      const options = { ...only, servername };
      const { session } = await shake(subject.port, options);
      assert(session !== null);
      assert.equal((await shake(subject.port, { ...options, session })).reused, true, servername);
      subject.subject.setSettings(settingsOf(serverTls([server, elsewhere, stranger])));
      assert.equal((await shake(subject.port, { ...options, session })).reused, true, 'after a reload');
      subject.clock.advance(12 * 3_600_000);
      const late = await shake(subject.port, { ...options, session });
      assert.deepEqual([late.reused, late.text, late.error], [false, 'hello', null], 'a full handshake');
      subject.subject.setSettings(settingsOf(serverTls([server, elsewhere])));
    }
  });

  test(`two servers with the same key resume the sessions of each other, with another key they do not (${version})`, async () => {
    const withKey = (byte: number, pairs = [server, elsewhere]) => {
      const ticketKey = Buffer.alloc(48, byte).toString('base64');
      return settingsOf(serverTls(pairs, { sessionTickets: { rotateMs: 60_000, ticketKey } }));
    };
    await using one = await running(withKey(1));
    await using other = await running(withKey(1));
    const options = { ...only, servername: 'elsewhere.test' };
    const { session } = await shake(one.port, options);
    assert(session !== null);
    assert.equal((await shake(other.port, { ...options, session })).reused, true);
    other.subject.setSettings(withKey(2));
    const strange = await shake(other.port, { ...options, session });
    assert.deepEqual([strange.reused, strange.text], [false, 'hello']);
  });

  test(`without tickets nothing is resumed (${version})`, async () => {
    await using subject = await running(settingsOf(serverTls([server], { sessionTickets: null })));
    const { session } = await shake(subject.port, only);
    const again = await shake(subject.port, { ...only, ...(session === null ? {} : { session }) });
    assert.deepEqual([again.reused, again.text], [false, 'hello']);
  });

  test(`a required certificate is shown and valid, or there is no connection (${version})`, async () => {
    const required = { clientCertificate: { mode: 'required' as const, caPem: ca } };
    await using subject = await running(settingsOf(serverTls([server, elsewhere], required)));
    for (const servername of ['app.test', 'elsewhere.test']) {
      const good = await shake(subject.port, { ...only, servername, cert: client.cert, key: client.key });
      assert.equal(good.text, 'hello');
    }
    assert.equal(subject.secured.at(-1)?.client?.subject, 'CN=Fairlead test client');
    const without = await shake(subject.port, only);
    const alert = version === 'TLSv1.3' ? 'TLSV13_ALERT_CERTIFICATE_REQUIRED' : 'TLS_ALERT_HANDSHAKE_FAILURE';
    assert.match(without.error ?? '', new RegExp(alert));
    const invalid = await shake(subject.port, { ...only, cert: stranger.cert, key: stranger.key });
    assert.equal(invalid.text, '');
    subject.clock.advance(1_000);
    assert.deepEqual(subject.refusals, [
      'certificate ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
      'certificate DEPTH_ZERO_SELF_SIGNED_CERT',
    ]);
    assert.equal(subject.secured.length, 2, 'nobody else came through');
  });

  test(`an optional certificate may be absent; one that is not valid is known as such (${version})`, async () => {
    const optional = { clientCertificate: { mode: 'optional' as const, caPem: ca } };
    await using subject = await running(settingsOf(serverTls([server], optional)));
    await shake(subject.port, only);
    await shake(subject.port, { ...only, cert: client.cert, key: client.key });
    await shake(subject.port, { ...only, cert: device.cert, key: device.key });
    assert.deepEqual(
      subject.secured.map(({ client, clientProblem }) => [client?.subject ?? null, clientProblem]),
      [
        [null, null],
        ['CN=Fairlead test client', null],
        [null, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ],
    );
  });

  test(`a ticket does not carry a client past another authority, and brings its certificate along (${version})`, async () => {
    const trusting = (caPem: string) =>
      settingsOf(serverTls([server], { clientCertificate: { mode: 'required', caPem } }));
    await using subject = await running(trusting(ca));
    const identity = { ...only, cert: client.cert, key: client.key };
    const { session } = await shake(subject.port, identity);
    assert(session !== null);
    assert.equal((await shake(subject.port, { ...identity, session })).reused, true);
    assert.equal(subject.secured[1]?.client?.subject, 'CN=Fairlead test client');
    subject.subject.setSettings(trusting(device.cert));
    assert.equal((await shake(subject.port, { ...only, session })).text, '');
    assert.equal(subject.secured.length, 2);
  });
}

test('more handshakes than allowed are refused, and each one that ends makes room', async () => {
  await using subject = await running(settingsOf(serverTls(), { handshakesMax: 1 }));
  const silent = net.connect(subject.port, '127.0.0.1');
  await once(silent, 'connect');
  assert.equal((await shake(subject.port)).text, 'hello', 'who has said nothing does not count');
  const slow = net.connect(subject.port, '127.0.0.1');
  await once(slow, 'connect');
  slow.write(Buffer.from([0x16, 3, 1])); // the beginning of a ClientHello
  while ((await shake(subject.port)).text !== '') assert.equal(subject.tooMany.count, 0);
  assert.equal(subject.tooMany.count, 1);
  slow.destroy();
  silent.destroy();
  while ((await shake(subject.port)).text === '')
    assert.ok(subject.tooMany.count < 1_000, 'there is room again');
});
