// What a listener does before HTTP begins: who is let in, TLS, and what a reload and the end change.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import tls, { type ConnectionOptions } from 'node:tls';
import { type Connection, ConnectionTable } from '../../src/net/connection.ts';
import { type Listener, openListener, type SocketListenerSettings } from '../../src/net/listener.ts';
import { buildNetworkSet } from '../../src/security/client_address.ts';
import { ca, elsewhere, server } from '../support/certificates.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { connectRaw } from '../support/raw_client.ts';
import { serverTls } from '../support/server_tls.ts';

checkLeaks();

const TLS = serverTls([server], { minVersion: 'TLSv1.3' });
const SETTINGS: SocketListenerSettings = {
  name: 'main',
  address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  tls: null,
  http2: true,
  h2c: false,
  reusePort: false,
  connectionsMax: null,
  connectionsPerIpMax: null,
  floodPenaltyMs: null,
  handshakesMax: null,
  headMs: 5_000,
  proxyProtocol: null,
};

interface Arrival {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly protocol: 'http1' | 'http2';
}

interface Opened extends AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  readonly clock: FakeClock;
  readonly refused: unknown[][];
  /** The next connection on which HTTP begins. */
  arrival(): Promise<Arrival>;
  /** The next refusal, of a connection or of a handshake. */
  refusal(): Promise<unknown[]>;
}

async function opened(change: Partial<SocketListenerSettings> = {}, trusted = false): Promise<Opened> {
  const clock = new FakeClock();
  const arrivals: Arrival[] = [];
  const refused: unknown[][] = [];
  const sockets = new Set<Socket>();
  let wake = () => {};
  const take = async <T>(list: T[]): Promise<T> => {
    for (;;) {
      const first = list.shift();
      if (first !== undefined) return first;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  };
  const refusals: unknown[][] = [];
  const refuse = (...said: unknown[]) => {
    refused.push(said);
    refusals.push(said);
    wake();
  };
  const listener = await openListener(
    { ...SETTINGS, ...change },
    {
      clock,
      connections: new ConnectionTable(clock),
      processConnectionsMax: () => 100,
      plainAddress: ip => ip,
      clientKey: ip => ip,
      isTrustedProxy: () => trusted,
      buildNetworkSet,
      env: {},
      onConnection(socket, connection, protocol) {
        sockets.add(socket);
        arrivals.push({ socket, connection, protocol });
        wake();
      },
      onRefused: refuse,
      onTlsRefused: refuse,
      onProxyRefused: refuse,
      warn: assert.fail,
    },
  );
  return {
    listener,
    port: Number(listener.address().split(':').at(-1)),
    clock,
    refused,
    arrival: () => take(arrivals),
    refusal: () => take(refusals),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await listener.stopAccepting();
    },
  };
}

/** A client that gets through the handshake, or the error that it gets. */
function shakeHands(port: number, options: ConnectionOptions): Promise<tls.TLSSocket | Error> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'app.test', ...options });
  return new Promise(resolve => {
    socket.once('error', resolve);
    socket.once('secureConnect', () => resolve(socket));
  });
}

/** How a connection fails: while it is made, or as soon as it is. */
async function fateOf(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const [error] = await once(socket, 'error');
  return error.code;
}

test('who types http:// at a port of TLS is told so with 400, and is counted', async () => {
  await using open = await opened({ tls: TLS });
  using client = await connectRaw({ port: open.port });
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { status, text } = await client.answer();
  assert.deepEqual([status, text], [400, 'This port requires TLS: use https:// instead of http://.\n']);
  assert.deepEqual(await open.refusal(), ['plain_http', 'HTTP_REQUEST', 1]);
  assert.equal(await client.ended, 'end', 'with FIN: a reset could take the answer with it');
});

test('who types http:// and then never closes loses the connection after two seconds', async () => {
  await using open = await opened({ tls: TLS });
  const socket = net.connect({ port: open.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write('GET / HTTP/1.1\r\n\r\n');
  socket.resume();
  await open.refusal();
  await once(socket, 'end');
  open.clock.advance(1_999);
  await turn();
  assert.equal(open.clock.pendingTimers >= 1, true, 'it is given time');
  open.clock.advance(1);
  socket.on('error', () => {});
  // Written into a connection that is gone, it is answered with a reset, which the write after that one notices.
  while (!socket.destroyed) {
    socket.write('still here');
    await turn();
  }
});

test('a version of TLS that is too old is refused and counted as that', async () => {
  await using open = await opened({ tls: TLS });
  const got = await shakeHands(open.port, { maxVersion: 'TLSv1.2' });
  assert(got instanceof Error);
  assert.equal((await open.refusal())[0], 'version');
});

test('a client that begins no handshake in the time of a head is counted, and is let go', async () => {
  await using open = await opened({ tls: TLS });
  const socket = net.connect(open.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  while (open.clock.pendingTimers === 0) await turn();
  open.clock.advance(4_999);
  assert.deepEqual(open.refused, [], '1 ms before');
  const closed = once(socket, 'close');
  open.clock.advance(1);
  assert.deepEqual(await open.refusal(), ['timeout', 'ERR_TLS_HANDSHAKE_TIMEOUT', 1]);
  await closed;
});

test('the protocol is what ALPN says: HTTP/2 where it is offered and on, otherwise HTTP/1.1, with the version of TLS', async () => {
  await using open = await opened({ tls: TLS });
  const arrived = async (protocols: string[] | undefined) => {
    const client = await shakeHands(open.port, protocols === undefined ? {} : { ALPNProtocols: protocols });
    assert(client instanceof tls.TLSSocket, String(client));
    const { protocol, connection } = await open.arrival();
    client.destroy();
    return [protocol, connection.tls?.version];
  };
  assert.deepEqual(await arrived(['h2', 'http/1.1']), ['http2', 'TLSv1.3']);
  assert.deepEqual(await arrived(['http/1.1']), ['http1', 'TLSv1.3']);
  assert.deepEqual(await arrived(undefined), ['http1', 'TLSv1.3'], 'an old client that knows no ALPN');
  open.listener.setSettings({ ...SETTINGS, tls: TLS, http2: false });
  assert.deepEqual(await arrived(['h2', 'http/1.1']), ['http1', 'TLSv1.3'], 'after http2 was switched off');
});

test('a reload that leaves TLS as it is lets clients resume their sessions, one with another certificate shows that', async () => {
  await using open = await opened({ tls: TLS });
  const first = await shakeHands(open.port, {});
  assert(first instanceof tls.TLSSocket);
  const ticket = once(first, 'session') as Promise<[Buffer]>;
  const { socket } = await open.arrival();
  socket.write('x'); // a ticket of TLS 1.3 comes with the first bytes
  first.resume();
  const [session] = await ticket;
  first.destroy();

  open.listener.setSettings({ ...SETTINGS, connectionsMax: 7, tls: structuredClone(TLS) });
  const second = await shakeHands(open.port, { session });
  assert(second instanceof tls.TLSSocket);
  assert.equal(second.isSessionReused(), true);
  await open.arrival();
  second.destroy();

  open.listener.setSettings({ ...SETTINGS, tls: serverTls([elsewhere]) });
  const third = await shakeHands(open.port, { servername: 'elsewhere.test' });
  assert(third instanceof tls.TLSSocket, String(third));
  await open.arrival();
  third.destroy();
});

test('a limit that a reload lowers holds from the next connection on, and one that is over it is reset and counted', async () => {
  await using open = await opened();
  using first = await connectRaw({ port: open.port });
  await open.arrival();
  open.listener.setSettings({ ...SETTINGS, connectionsMax: 1 });
  assert.equal(await fateOf(open.port), 'ECONNRESET');
  assert.deepEqual(await open.refusal(), ['listener', 1]);
  assert.equal(first.socket.destroyed, false, 'those that are open stay');
});

test('one address has its share of the connections, a load balancer that is trusted has no such limit', async () => {
  for (const trusted of [false, true]) {
    await using open = await opened({ connectionsPerIpMax: 1 }, trusted);
    using first = await connectRaw({ port: open.port });
    await open.arrival();
    if (trusted) {
      using second = await connectRaw({ port: open.port });
      await open.arrival();
      assert.equal(second.socket.destroyed, false);
    } else {
      assert.equal(await fateOf(open.port), 'ECONNRESET');
      assert.deepEqual(await open.refusal(), ['clientIp', 1]);
    }
    assert.equal(first.socket.destroyed, false);
  }
});

test('a client whose connection the system has made before the end of accepting is not reset', async () => {
  await using open = await opened();
  const clients = Array.from({ length: 20 }, () => net.connect(open.port, '127.0.0.1'));
  for (const client of clients) client.on('error', () => {});
  const connected = Promise.all(clients.map(client => once(client, 'connect')));
  // The event loop has not turned: none of them is accepted yet.
  await Promise.all([connected, open.listener.stopAccepting()]);
  for (const _ of clients) await open.arrival();
  assert.equal(await fateOf(open.port), 'ECONNREFUSED');
  for (const client of clients) client.destroy();
});

test('an address that cannot be had is said with the name of the listener', async () => {
  await using open = await opened();
  const address = { kind: 'tcp', host: '127.0.0.1', port: open.port } as const;
  await assert.rejects(opened({ name: 'other', address }), /^Error: listener other: .*127\.0\.0\.1:\d+/);
});
