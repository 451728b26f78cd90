// From a handshake to a tunnel: bytes that come early, timers to the millisecond, and what is given back at the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, inTurn, tunnel, webSocketAccept, write } from '../../support/backend_behaviours.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { forwardTo } from '../../support/plan_builder.ts';
import { startOnFakeClock } from '../../support/proxy_on_fake_clock.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../../support/raw_client.ts';
import { type BackendRequest, type Behaviour, startBackend } from '../../support/scripted_backend.ts';

checkLeaks();

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = formatRequest('/chat', {
  headers: [
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', KEY],
  ],
});
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${webSocketAccept(KEY)}\r\n\r\n`;

/** As a server does that notices when the other side goes. */
function closeWithPeer({ socket }: BackendRequest): void {
  socket.removeAllListeners('readable').resume();
  socket.on('end', () => socket.end());
}

test('what a backend sends in one packet with its 101 reaches the client, and what the client sent with its handshake the backend', async () => {
  const { promise: heard, resolve: hear } = Promise.withResolvers<string>();
  const eager: Behaviour = async request => {
    await write(request, `${SWITCH}from the backend`);
    hear(String(await request.reader.exactly('from the client'.length)));
    return 'over' as const;
  };
  await using backend = await startBackend(eager);
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target);
  await client.send(Buffer.concat([HANDSHAKE, Buffer.from('from the client')]));
  assert.equal((await client.head()).status, 101);
  assert.equal(String(await client.reader.exactly('from the backend'.length)), 'from the backend');
  assert.equal(await heard, 'from the client');
});

test('a tunnel is counted while it is open, and ends at tunnelIdle after the last byte of either side', async () => {
  let toClient: (text: string) => void = () => {};
  await using backend = await startBackend(
    tunnel(request => {
      toClient = text => void request.socket.write(text);
      closeWithPeer(request);
    }),
  );
  const route = { timeouts: { tunnelIdle: '10s' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { route }));
  using client = await connectRaw(proxy.target);
  await client.send(HANDSHAKE);
  assert.equal((await client.head()).status, 101);
  assert.equal(proxy.traffic.tunnels, 1);
  proxy.clock.advance(9_000);
  toClient('news');
  await client.reader.exactly(4);
  proxy.clock.advance(9_999);
  assert.equal(proxy.traffic.tunnels, 1);
  proxy.clock.advance(1);
  await client.ended;
  await backend.noConnections();
  const line = await proxy.lines.next({ path: '/chat' });
  assert.deepEqual([line.status, line.bytesOut, proxy.traffic.tunnels], [101, 4, 0]);
});

test('the connection of a tunnel counts against the pool until the tunnel ends, and not a moment longer', async () => {
  await using backend = await startBackend(inTurn(tunnel(closeWithPeer), answer({ body: 'served' })));
  const cluster = { pool: { connections: 1, queue: 1 } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { cluster }));
  using client = await connectRaw(proxy.target);
  await client.send(HANDSHAKE);
  await client.head();
  const waits = fetchRaw(proxy.target, '/waits');
  while (proxy.traffic.active.size < 2) await new Promise(resolve => setImmediate(resolve));
  assert.equal(backend.connections.total, 1);
  client.destroy();
  assert.equal((await waits).text, 'served');
});

test('a refusal whose body breaks off is passed on as broken, with its reason in the log', async () => {
  await using backend = await startBackend(async request => {
    await write(request, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf');
    request.socket.resetAndDestroy();
    return 'over' as const;
  });
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target);
  await client.send(HANDSHAKE);
  await assert.rejects(client.answer(), (error: unknown) => {
    assert(error instanceof TruncatedAnswer, String(error));
    assert.equal(error.answer.status, 403);
    return true;
  });
  assert.equal((await proxy.lines.next({ path: '/chat' })).reason, 'reset_in_body');
});

test('a client that leaves before the backend has answered its handshake takes the connection with it', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using backend = await startBackend(async request => {
    await released;
    await write(request, SWITCH);
    return 'over' as const;
  });
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target);
  await client.send(HANDSHAKE);
  await backend.requestCount(1);
  client.destroy();
  assert.equal((await proxy.lines.next({ path: '/chat' })).reason, 'client_gone');
  release();
  await backend.noConnections();
  assert.equal(proxy.traffic.tunnels, 0);
});
