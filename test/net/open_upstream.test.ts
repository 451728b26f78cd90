import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openUpstream } from '../../src/net/open_upstream.ts';
import type { UpstreamSettings } from '../../src/net/upstream.ts';
import { systemClock } from '../../src/resilience/clock.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { seededRandom } from '../support/seeded_random.ts';

checkLeaks();

for (const [protocol, begins] of [
  ['http1', /^GET \/ HTTP\/1\.1\r\n/],
  ['h2c', /^PRI \* HTTP\/2\.0\r\n/],
] as const)
  test(`a backend that is said to speak ${protocol} is spoken to like that from the first byte`, async () => {
    const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const settings: UpstreamSettings = {
      address: { kind: 'tcp', host: '127.0.0.1', port },
      protocol,
      tls: null,
      connectionsMax: 1,
      idleMs: 1_000,
      requestsMax: null,
      ageMsMax: null,
      connectTimeoutMs: 5_000,
    };
    const upstream = openUpstream(settings, systemClock, seededRandom(1));
    const slot = upstream.take();
    assert(slot !== null);
    const ignore = () => {};
    slot.send(
      { method: 'GET', target: '/', authority: 'app.test', headers: [], body: null },
      {
        onConnected: ignore,
        onInformation: ignore,
        onHead: ignore,
        onData: () => true,
        onEnd: ignore,
        onError: ignore,
      },
    );
    const [socket] = await once(server, 'connection');
    socket.on('error', ignore);
    const [first] = await once(socket, 'data');
    assert.match(String(first), begins);
    upstream.destroy();
    socket.destroy();
    server.close();
    await once(server, 'close');
  });
