// One slot is worth one connection, whatever it is used for, and every connection has an end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Http1Slot } from '../../../src/net/upstream/http1_slot.ts';
import type { UpstreamSettings } from '../../../src/net/upstream.ts';
import type { Failure } from '../../../src/resilience/failure.ts';
import { answer } from '../../support/backend_behaviours.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { startBackend } from '../../support/scripted_backend.ts';

checkLeaks();

function slotTo(port: number, more: Partial<UpstreamSettings> = {}) {
  const clock = new FakeClock();
  const settings: UpstreamSettings = {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    protocol: 'http1',
    tls: null,
    connectionsMax: 1,
    idleMs: 60_000,
    requestsMax: null,
    ageMsMax: null,
    connectTimeoutMs: 1_000,
    ...more,
  };
  const { address, tls, connectTimeoutMs } = settings;
  const slot = new Http1Slot(
    { address, tls, protocols: ['http/1.1'], connectTimeoutMs },
    settings,
    10_000,
    clock,
  );
  return { clock, slot };
}

/** `new` or `reused`, once the response is there. */
function send(slot: Http1Slot, more: { readonly target?: string; readonly fresh?: boolean } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<'new' | 'reused'>();
  let way: 'new' | 'reused' = 'new';
  slot.send(
    { method: 'GET', target: '/', authority: 'a', headers: [], body: null, ...more },
    {
      onConnected(reused) {
        way = reused ? 'reused' : 'new';
      },
      onInformation() {},
      onHead() {},
      onData: () => true,
      onEnd: () => resolve(way),
      onError: failure => reject(new Error(failure.kind)),
    },
  );
  return promise;
}

test('a tunnel takes the place of the kept connection: the backend never has two of one slot', async () => {
  await using backend = await startBackend(answer());
  const { slot } = slotTo(backend.port);
  assert.equal(await send(slot), 'new');
  assert.equal(slot.isConnected, true);
  const socket = await new Promise<Socket | null>(resolve => slot.openSocket((_, open) => resolve(open)));
  assert(socket !== null);
  assert.deepEqual([slot.isConnected, slot.isOpen], [false, true]);
  while (backend.connections.total < 2 || backend.connections.open > 1) await turn();
  slot.endUse();
  await once(socket, 'close');
  assert.equal(slot.isOpen, false, 'the end of the use is the end of the tunnel');
  slot.destroy();
});

test('a request that wants a fresh connection gets one, although another is open', async () => {
  await using backend = await startBackend(answer());
  const { slot } = slotTo(backend.port);
  assert.deepEqual([await send(slot), await send(slot)], ['new', 'reused']);
  assert.equal(await send(slot, { fresh: true }), 'new');
  assert.equal(backend.connections.total, 2);
  slot.destroy();
});

test('OPTIONS * goes out, on a connection of its own', async () => {
  await using backend = await startBackend(answer());
  const { slot } = slotTo(backend.port);
  assert.equal(await send(slot, { target: '*' }), 'new');
  assert.equal(backend.requests[0]?.target, '*');
  slot.destroy();
});

test('a connection has served its time after so many requests, or at its age', async () => {
  await using backend = await startBackend(answer());
  const byCount = slotTo(backend.port, { requestsMax: 2 });
  await send(byCount.slot);
  assert.equal(byCount.slot.isExhausted, false);
  await send(byCount.slot);
  assert.equal(byCount.slot.isExhausted, true);
  const byAge = slotTo(backend.port);
  await send(byAge.slot);
  byAge.clock.advance(9_999);
  assert.equal(byAge.slot.isExhausted, false);
  byAge.clock.advance(1);
  assert.equal(byAge.slot.isExhausted, true);
  for (const { slot } of [byCount, byAge]) slot.destroy();
});

test('a backend that does not close its side within a second loses the connection', async () => {
  const behind: Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, socket => {
    behind.push(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { clock, slot } = slotTo((server.address() as AddressInfo).port);
  await send(slot);
  let isClosed = false;
  const closed = new Promise<void>(resolve =>
    slot.closeThen(() => {
      isClosed = true;
      resolve();
    }),
  );
  clock.advance(999);
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.equal(isClosed, false);
  clock.advance(1);
  await closed;
  assert.deepEqual([slot.isOpen, clock.pendingTimers], [false, 0]);
  slot.destroy();
  for (const socket of behind) socket.destroy();
  server.close();
  await once(server, 'close');
});

test('when a slot is destroyed, a waiting request gets an error, and a cancelled one gets nothing', async () => {
  await using backend = await startBackend(answer());
  const heard: (Failure | null)[] = [];
  const destroyed = slotTo(backend.port);
  destroyed.slot.openSocket(failure => heard.push(failure));
  destroyed.slot.destroy();
  assert.deepEqual(heard, [{ kind: 'connect_refused', code: 'CLOSED' }]);
  const aborted = slotTo(backend.port);
  aborted.slot.openSocket(failure => heard.push(failure));
  aborted.slot.abort();
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.equal(heard.length, 1);
  assert.deepEqual([aborted.slot.isOpen, aborted.clock.pendingTimers], [false, 0]);
  aborted.slot.destroy();
});
