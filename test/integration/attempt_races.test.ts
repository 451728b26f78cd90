// Races between what ends an attempt (the client, a timer, the backend) and what it has begun or waits for.
// No test sleeps: each race is won by an answer held back, or by a timeout of the configuration.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { after, answer, inTurn, resetBeforeHead, staySilent } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import type { LogLine } from '../support/log_lines.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type RequestOptions } from '../support/raw_client.ts';
import { type Behaviour, REFUSING, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const HANDSHAKE = formatRequest('/', {
  headers: [
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ],
});

/** Each path has a behaviour of its own. */
function byPath(behaviours: Readonly<Record<string, Behaviour>>, other: Behaviour): Behaviour {
  return request => (behaviours[request.target] ?? other)(request);
}

interface Timing {
  readonly queue: number;
  readonly total: number;
}

/** As it stands in the log, and nothing of it is a defect of ours. */
async function lineOf(proxy: ProxyInProcess, path: string): Promise<LogLine & { readonly timing: Timing }> {
  const line = await proxy.lines.next({ path });
  assert.deepEqual(proxy.lines.find({ event: 'defect' }), []);
  return line as LogLine & { readonly timing: Timing };
}

// ---- WebSocket handshakes that end early

test('a client that resets during its WebSocket handshake costs only that handshake', async () => {
  await using backend = await startBackend(inTurn(staySilent(), answer({ body: 'served' })));
  await using proxy = await startProxy(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target());
  void client.send(HANDSHAKE);
  await backend.requestCount(1);
  client.reset();
  await proxy.lines.next({ reason: 'client_gone' });
  await backend.noConnections();
  assert.equal((await fetchRaw(proxy.target(), '/next')).text, 'served');
  await lineOf(proxy, '/next');
});

test('a WebSocket handshake that gets no answer in time is answered 504, and the process goes on', async () => {
  await using backend = await startBackend(inTurn(staySilent(), answer({ body: 'served' })));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      route: { timeouts: { responseHead: '100ms' }, retries: { attempts: 0 } },
    }),
  );
  using client = await connectRaw(proxy.target());
  void client.send(HANDSHAKE);
  assert.equal((await client.answer()).status, 504);
  assert.equal((await lineOf(proxy, '/')).reason, 'response_head_timeout');
  await backend.noConnections();
  assert.equal((await fetchRaw(proxy.target(), '/next')).text, 'served');
  await lineOf(proxy, '/next');
});

// ---- HTTP/2 backends that reset streams

/**
 * `/ok` is answered, `/held` when it is let go; every other stream is reset with a code, or loses its session. The
 * proxy has so many sessions when `use` begins, and all of them have served.
 */
async function withResettingBackend(
  how: 'session' | number,
  sessions: 1 | 2,
  use: (proxy: ProxyInProcess, streams: () => number) => Promise<void>,
): Promise<void> {
  const { promise: letGo, resolve: release } = Promise.withResolvers<void>();
  const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
  let streams = 0;
  const server = http2.createServer({ settings: { maxConcurrentStreams: 1 } });
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const path = headers[':path'];
    if (path === '/held') {
      held();
      await letGo;
    }
    if (path === '/ok' || path === '/held') {
      stream.respond({ ':status': 204 }, { endStream: true });
      return;
    }
    streams++;
    if (how === 'session') stream.session?.destroy();
    else stream.close(how);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startProxy(
    forwardTo([`127.0.0.1:${(server.address() as AddressInfo).port}`], {
      cluster: { protocol: 'h2c', pool: { connections: 2 } },
      route: { retries: { attempts: 2, backoff: { base: '1ms', max: '10ms' } } },
    }),
  );
  try {
    await fetchRaw(proxy.target(), '/ok');
    if (sessions === 2) {
      const answering = fetchRaw(proxy.target(), '/held');
      await isHeld;
      await fetchRaw(proxy.target(), '/ok');
      release();
      await answering;
    }
    await use(proxy, () => streams);
  } finally {
    await proxy.stop();
    server.close();
    await once(server, 'close');
  }
}

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

test('an HTTP/2 backend that resets every stream is asked as often as the route allows, then the answer is 502', () =>
  withResettingBackend(NGHTTP2_INTERNAL_ERROR, 1, async (proxy, streams) => {
    assert.equal((await fetchRaw(proxy.target(), '/reset')).status, 502);
    assert.equal(streams(), 3, 'the attempt and two retries');
    const line = await lineOf(proxy, '/reset');
    assert.deepEqual([line.reason, line.retryRefused], ['reset_before_head', 'attempts_used_up']);
  }));

test('a POST whose HTTP/2 stream was reset is not repeated, one whose stream was refused is', async () => {
  const post = { method: 'POST', body: 'pay' };
  await withResettingBackend(NGHTTP2_INTERNAL_ERROR, 1, async (proxy, streams) => {
    assert.equal((await fetchRaw(proxy.target(), '/pay', post)).status, 502);
    assert.equal(streams(), 1, 'it may have been carried out');
    assert.equal((await lineOf(proxy, '/pay')).retryRefused, 'not_idempotent');
  });
  await withResettingBackend(NGHTTP2_REFUSED_STREAM, 1, async (proxy, streams) => {
    assert.equal((await fetchRaw(proxy.target(), '/pay', post)).status, 502);
    assert.equal(streams(), 3, 'RFC 9113 section 8.7: nothing of it was processed');
  });
});

for (const sessions of [1, 2] as const) {
  test(`an HTTP/2 backend that ends its session at every request gets one attempt more for each old one (${sessions})`, () =>
    withResettingBackend('session', sessions, async (proxy, streams) => {
      assert.equal((await fetchRaw(proxy.target(), '/cut')).status, 502);
      assert.equal(streams(), sessions + 3, 'those on old sessions, the attempt and two retries');
      await lineOf(proxy, '/cut');
    }));
}

// ---- timers of an attempt whose answer is not wanted

test('while a retry pauses, the timeouts of the attempt before are over: it is made once', async () => {
  const unavailable = answer({ status: 503, headers: ['Retry-After', '1'] });
  await using backend = await startBackend(inTurn(unavailable, answer({ body: 'in the end' })));
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      route: { retries: { attempts: 3, on: ['503'], perTry: '150ms' }, timeouts: { responseHead: '100ms' } },
    }),
  );
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'in the end');
  const line = await lineOf(proxy, '/');
  assert.deepEqual(
    (line.attempts as { status: number }[]).map(({ status }) => status),
    [503, 200],
  );
  assert.equal(line.timeout, undefined);
  assert.equal(backend.requests.length, 2);
});

test('while a retry waits for a connection, the timeouts of the attempt before are over: it is made once', async () => {
  const behaviour = byPath(
    { '/slow': staySilent() },
    inTurn(answer({ status: 503 }), answer({ body: 'in the end' })),
  );
  await using one = await startBackend(behaviour);
  await using two = await startBackend(behaviour);
  await using proxy = await startProxy(
    forwardTo([one.address, two.address], {
      cluster: { pool: { connections: 1, queueTimeout: '5s' } },
      route: { retries: { attempts: 3, on: ['503'], perTry: '100ms' }, timeouts: { responseHead: '100ms' } },
      routes: [
        {
          name: 'slow',
          match: { path: { exact: '/slow' } },
          forward: { cluster: 'app' },
          timeouts: { responseHead: '700ms' },
          retries: { attempts: 0 },
        },
      ],
    }),
  );
  const slow = fetchRaw(proxy.target(), '/slow');
  await Promise.race([one.requestCount(1), two.requestCount(1)]);
  assert.equal((await fetchRaw(proxy.target(), '/')).text, 'in the end');
  assert.equal((await slow).status, 504, 'its connection is the one that was waited for');
  const line = await lineOf(proxy, '/');
  assert.equal(line.timeout, undefined);
  assert.ok(
    line.timing.queue > 150,
    `it has waited for ${line.timing.queue} ms, longer than the old timeouts`,
  );
  assert.equal(one.requests.length + two.requests.length, 3, 'the slow one, the attempt, its retry');
});

// ---- requests that end while they wait for a connection

interface Leaving {
  readonly how: string;
  readonly reason: string;
  readonly request: RequestOptions;
  /** Null: it leaves as soon as it has asked. */
  readonly afterMs: number | null;
}

const LEAVING: readonly Leaving[] = [
  {
    how: 'whose time is over',
    reason: 'request_timeout',
    request: { method: 'DELETE' },
    afterMs: 200,
  },
  {
    how: 'whose deadline has come',
    reason: 'request_timeout',
    request: { method: 'POST', body: 'pay', headers: ['X-Request-Deadline-Ms', '150'] },
    afterMs: 150,
  },
  { how: 'whose client has left', reason: 'client_gone', request: { method: 'DELETE' }, afterMs: null },
];

for (const { how, reason, request, afterMs } of LEAVING) {
  test(`a request ${how} while it waits for a connection never reaches the backend`, async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using backend = await startBackend(byPath({ '/slow': after(released, answer()) }, answer()));
    await using proxy = await startProxy(
      forwardTo([backend.address], {
        admin: { address: '127.0.0.1:0' },
        listener: { trustedProxies: ['127.0.0.1/32'] },
        cluster: { pool: { connections: 1, queueTimeout: '5s' } },
        route: { timeouts: { request: '200ms' } },
        routes: [
          {
            name: 'patient',
            match: { path: { exact: '/slow' } },
            forward: { cluster: 'app' },
            timeouts: { request: '5s' },
          },
        ],
      }),
    );
    const slow = fetchRaw(proxy.target(), '/slow');
    await backend.requestCount(1);
    using client = await connectRaw(proxy.target());
    await client.send(formatRequest('/leaves', request));
    if (afterMs === null) client.destroy();
    else assert.equal((await client.answer()).status, 504);
    const line = await lineOf(proxy, '/leaves');
    assert.deepEqual([line.reason, line.attempts], [reason, []]);
    if (afterMs !== null) {
      const { queue, total } = line.timing;
      assert.ok(queue > 0.9 * afterMs && queue <= total, `${queue} of ${total} ms in the queue`);
      const { text } = await fetchRaw(proxy.admin(), `/requests/${line.requestId}`, {
        headers: ['Host', 'localhost'],
      });
      assert.equal(JSON.parse(text).timing.queueMs, queue);
    }
    release();
    assert.equal((await slow).status, 200);
    // Whatever still waited would go first, and would keep the only connection.
    assert.equal((await fetchRaw(proxy.target(), '/next')).status, 200);
    assert.deepEqual(
      backend.requests.map(({ target }) => target),
      ['/slow', '/next'],
    );
    await lineOf(proxy, '/next');
  });
}

// ---- retries that find nobody

async function assertFirstFailureStays(
  proxy: ProxyInProcess,
  reason: string,
  refused: string,
): Promise<void> {
  const line = await lineOf(proxy, '/');
  assert.deepEqual([line.status, line.reason, line.retryRefused], [502, reason, refused]);
  assert.equal((line.attempts as unknown[]).length, 1);
  assert.equal(line.timeout, undefined);
}

test('a retry that finds the circuit open is answered with the failure before, and says what stood against it', async () => {
  await using proxy = await startProxy(
    forwardTo([REFUSING], {
      admin: { address: '127.0.0.1:0' },
      cluster: { circuitBreaker: { minRequests: 1 }, health: { passive: 'off' } },
    }),
  );
  const got = await fetchRaw(proxy.target(), '/');
  assert.match(got.text, /connect_refused/);
  await assertFirstFailureStays(proxy, 'connect_refused', 'circuit_open');
  const admin = (path: string) => fetchRaw(proxy.admin(), path, { headers: ['Host', 'localhost'] });
  const { text } = await admin(`/requests/${value(got.headers, 'x-request-id')}`);
  assert.match(JSON.parse(text).cause, /connect_refused.*not retried: circuit_open/);
});

test('a retry that finds every endpoint down is answered with the failure before', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  let status = 200;
  const held: Behaviour = request => {
    onAsked();
    return after(released, resetBeforeHead())(request);
  };
  await using backend = await startBackend(byPath({ '/': held }, request => answer({ status })(request)));
  // A machine that is busy for a moment is no sick endpoint: only what the probe is told counts here.
  const active = { path: '/healthz', interval: '500ms', timeout: '500ms', unhealthyAfter: 1 };
  await using proxy = await startProxy(
    forwardTo([backend.address], { cluster: { health: { active, passive: 'off' } } }),
  );
  await proxy.lines.next({ event: 'health_changed', to: 'healthy' });
  const answering = fetchRaw(proxy.target(), '/');
  await asked;
  status = 500;
  await proxy.lines.next({ event: 'health_changed', to: 'unhealthy' });
  release();
  assert.match((await answering).text, /reset_before_head/);
  await assertFirstFailureStays(proxy, 'reset_before_head', 'no_healthy_backend');
});

test('a retry that finds no connection in time is answered with the failure before', async () => {
  const behaviour = byPath({ '/slow': staySilent() }, resetBeforeHead());
  await using one = await startBackend(behaviour);
  await using two = await startBackend(behaviour);
  await using proxy = await startProxy(
    forwardTo([one.address, two.address], {
      cluster: { pool: { connections: 1, queueTimeout: '50ms' }, health: { passive: 'off' } },
    }),
  );
  using slow = await connectRaw(proxy.target());
  void slow.send(formatRequest('/slow'));
  await Promise.race([one.requestCount(1), two.requestCount(1)]);
  assert.match((await fetchRaw(proxy.target(), '/')).text, /reset_before_head/);
  await assertFirstFailureStays(proxy, 'reset_before_head', 'queue_timeout');
});
