// What an open circuit lets through decides over everybody: it is judged by its head, and cannot keep others waiting by lasting long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { answer, tunnel, write } from '../support/backend_behaviours.ts';
import { formatHead } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { connectRaw, fetchRaw, formatRequest, type RawClient } from '../support/raw_client.ts';
import { type Behaviour, type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const OPEN_MS = 5_000;
/** A circuit is open for up to a tenth longer. */
const OPEN_MS_MAX = 1.1 * OPEN_MS;

const HANDSHAKE = formatRequest('/probe', {
  headers: [
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ],
});

/** One endpoint, whose circuit and that of its cluster have opened, and are about to let one request through. */
async function withOpenCircuit(
  probe: Behaviour,
  use: (proxy: ProxyOnFakeClock, client: RawClient, backend: ScriptedBackend) => Promise<void>,
): Promise<void> {
  let status = 500;
  await using backend = await startBackend(request =>
    request.target === '/probe' ? probe(request) : answer({ status })(request),
  );
  const cluster = {
    circuitBreaker: { minRequests: 1, openFor: `${OPEN_MS}ms` },
    health: { passive: 'off' },
    pool: { idle: '1h' },
  };
  const listener = { timeouts: { bodyIdle: '1h' } };
  const route = { retries: { attempts: 0 }, timeouts: { request: '1h', responseHead: '1h' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener, cluster, route }));
  assert.equal((await fetchRaw(proxy.target, '/')).status, 500);
  status = 200;
  await assertRefused(proxy);
  proxy.clock.advance(OPEN_MS_MAX);
  using client = await connectRaw(proxy.target);
  await use(proxy, client, backend);
}

async function assertRefused(proxy: ProxyOnFakeClock): Promise<void> {
  const { status, text } = await fetchRaw(proxy.target, '/');
  assert.deepEqual([status, /circuit_open/.test(text)], [503, true]);
}

/** By both circuits: what the one of the endpoint says is not the whole story. */
async function assertServed(proxy: ProxyOnFakeClock): Promise<void> {
  assert.equal((await fetchRaw(proxy.target, '/')).status, 200);
  assert.equal((await fetchRaw(proxy.target, '/')).status, 200);
}

function held() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  return { released, release };
}

test('an event stream that is the probe of an open circuit closes it with its head', async () => {
  const { released, release } = held();
  const events: Behaviour = async (request): Promise<'over'> => {
    await released;
    request.socket.write(
      formatHead('HTTP/1.1 200 OK', ['Content-Type', 'text/event-stream', 'Transfer-Encoding', 'chunked']),
    );
    await write(request, '6\r\ndata:\n\r\n');
    return 'over';
  };
  await withOpenCircuit(events, async (proxy, client, backend) => {
    await client.send(formatRequest('/probe'));
    await backend.requestCount(2);
    await assertRefused(proxy);
    release();
    assert.equal((await client.head()).status, 200);
    await assertServed(proxy);
  });
});

test('a WebSocket that is the probe of an open circuit closes it with its handshake', async () => {
  const { released, release } = held();
  const socket: Behaviour = async request => {
    await released;
    return tunnel(() => {})(request);
  };
  await withOpenCircuit(socket, async (proxy, client, backend) => {
    await client.send(HANDSHAKE);
    await backend.requestCount(2);
    await assertRefused(proxy);
    release();
    assert.equal((await client.head()).status, 101);
    await assertServed(proxy);
  });
});

for (const { what, bytes } of [
  {
    what: 'a slow upload',
    bytes: formatRequest('/probe', { method: 'POST', headers: ['Content-Length', '4'], body: 'l' }),
  },
  { what: 'a WebSocket handshake that gets no answer', bytes: HANDSHAKE },
])
  test(`${what} that an open circuit has let through keeps others out no longer than the circuit was open`, async () => {
    const { released, release } = held();
    const silent: Behaviour = async (request): Promise<Awaited<ReturnType<Behaviour>>> => {
      if (request.method === 'POST') return answer()(request);
      await released;
      request.socket.destroy();
      return 'over';
    };
    await withOpenCircuit(silent, async (proxy, client, backend) => {
      await client.send(bytes);
      await backend.requestCount(2);
      await assertRefused(proxy);
      proxy.clock.advance(OPEN_MS - 1);
      await assertRefused(proxy);
      proxy.clock.advance(OPEN_MS_MAX - OPEN_MS + 1);
      await assertServed(proxy);
      if (what === 'a slow upload') {
        await client.send('ate');
        assert.equal((await client.answer()).status, 200, 'and the upload comes to its own end');
      }
      release();
      for (let turns = 0; turns < 20; turns++) await turn();
      await assertServed(proxy);
    });
  });
