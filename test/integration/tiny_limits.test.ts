// Every limit at its minimum: each refusal has its defined answer, nothing hangs, and nothing is left of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { after, answer, echo, resetBeforeHead } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { type Answer, connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { tiny } from '../support/tiny_limits.ts';

checkLeaks();

/** So that several clients can come at once: the limits of connections have a test of their own. */
const CLIENTS = {
  'process.connections': 100,
  'listeners.limits.connections': 100,
  'listeners.limits.connectionsPerIp': 100,
};
/** So that a failure costs its own request, and not those behind it. */
const LENIENT = {
  'clusters.circuitBreaker.minRequests': 1_000,
  'clusters.health.passive.consecutiveFailures': 1_000,
};
type Raised = Readonly<Record<string, unknown>>;
type Section = Readonly<Record<string, unknown>>;

function config(
  endpoints: readonly string[],
  raised: Raised = CLIENTS,
  cluster: Section = {},
): Record<string, unknown> {
  const { process: rest, ...others } = forwardTo(endpoints, {
    listener: { h2c: true, ...tiny('listeners', raised) },
    route: tiny('routes', raised),
    cluster: { ...tiny('clusters', raised), ...cluster },
  });
  const merged = { ...tiny('process', raised) } as Record<string, object>;
  for (const [name, value] of Object.entries(rest as Record<string, object>))
    merged[name] = { ...merged[name], ...value };
  return { ...others, process: merged };
}

/** Status and Proxy-Status. */
function refusal({ status, headers }: Answer): string {
  assert(
    status < 429 || status === 431 || status === 502 || value(headers, 'retry-after') !== null,
    'it says when to come back',
  );
  return `${status} ${value(headers, 'proxy-status')}`;
}

/** An ordinary request is served after whatever came before, and nothing of that is still counted. */
async function assertNothingLeft(proxy: ProxyInProcess, backend: ScriptedBackend): Promise<void> {
  assert.equal((await fetchRaw(proxy.target(), '/after')).status, 200);
  await proxy.lines.next({ path: '/after' });
  await backend.noConnections(); // each is used up by its one request
  const left = () => {
    const { requests, clusters } = proxy.report.status();
    const counted = clusters.flatMap(({ queue, endpoints }) => [
      queue,
      ...endpoints.flatMap(({ inFlight, connections: { open, inUse } }) => [inFlight, open, inUse]),
    ]);
    return [requests.active, requests.tunnels, ...counted];
  };
  // The backend may see the end of a connection some turns before the proxy does.
  for (let turns = 0; turns < 1_000 && left().some(count => count > 0); turns++) await turn();
  assert.deepEqual(left(), [0, 0, 0, 0, 0, 0], 'active, tunnels, queue, in flight, open, in use');
}

test('with every limit at its minimum ordinary requests are served, one for each connection', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(config([backend.address], {}));
  for (const bytes of [Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), formatRequest('/2')]) {
    using client = await connectRaw(proxy.target());
    await client.send(bytes);
    const { status, headers, text } = await client.answer();
    assert.deepEqual([status, value(headers, 'connection')], [200, 'close'], text);
    assert.equal(await client.ended, 'end');
  }
  await assertNothingLeft(proxy, backend);
});

test('a second client of a listener for one connection is turned away, and served when the first has gone', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(config([backend.address], {}));
  {
    using first = await connectRaw(proxy.target());
    await first.send('GET / HTTP/1.1\r\n');
    await turnedAway(proxy);
    await first.send('Host: a\r\n\r\n');
    assert.equal((await first.answer()).status, 200);
    await first.ended;
  }
  while (proxy.report.status().connections.open > 0) await turn();
  await assertNothingLeft(proxy, backend);
});

/** Without a byte, by a reset that may come before the client knows that it is connected. */
async function turnedAway(proxy: ProxyInProcess): Promise<void> {
  try {
    using client = await connectRaw(proxy.target());
    assert.equal(await client.ended, 'reset');
    assert.equal(client.reader.buffered.length, 0);
  } catch (error) {
    assert(error instanceof Error && 'code' in error && error.code === 'ECONNRESET', String(error));
  }
}

const TWO_FIELDS = { ...CLIENTS, 'listeners.limits.headerCount': 2 };
const REFUSED: Readonly<Record<string, { bytes: string; answer: string; raised?: Raised }>> = {
  'a body of two bytes': {
    bytes: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx',
    answer: '413 fairlead; error=http_request_error',
    raised: TWO_FIELDS,
  },
  'a second byte that no length has announced': {
    bytes: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n',
    answer: '413 fairlead; error=http_request_error',
    raised: TWO_FIELDS,
  },
  'a target of 65 bytes': {
    bytes: `GET /${'x'.repeat(64)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    answer: '414 fairlead; error=http_request_error',
  },
  'a second field': {
    bytes: 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n',
    answer: '431 fairlead; error=http_request_error',
  },
  'a head above 512 bytes': {
    bytes: `GET / HTTP/1.1\r\nHost: ${'a'.repeat(600)}\r\n\r\n`,
    answer: '431 fairlead; error=http_request_error',
  },
};

for (const [what, { bytes, answer: wanted, raised = CLIENTS }] of Object.entries(REFUSED)) {
  test(`with every limit at its minimum ${what} is refused with its reason, and the next client is served`, async () => {
    await using backend = await startBackend(echo());
    await using proxy = await startProxy(config([backend.address], raised));
    using client = await connectRaw(proxy.target());
    await client.send(bytes);
    assert.equal(refusal(await client.answer()), wanted);
    await client.ended;
    await assertNothingLeft(proxy, backend);
  });
}

test('a body of one byte passes where one byte is allowed', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startProxy(config([backend.address], TWO_FIELDS));
  for (const path of ['/1', '/2']) {
    const { status, text } = await fetchRaw(proxy.target(), path, { method: 'POST', body: 'x' });
    assert.deepEqual([status, JSON.parse(text).bodyBytes], [200, 1]);
  }
  await assertNothingLeft(proxy, backend);
});

test('without a queue the second request gets Retry-After, over HTTP/1.1 and HTTP/2', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using backend = await startBackend(after(gate, answer({ body: 'first' })));
  await using proxy = await startProxy(config([backend.address]));
  const first = fetchRaw(proxy.target(), '/first');
  await backend.requestCount(1);
  const second = await fetchRaw(proxy.target(), '/second');
  assert.equal(refusal(second), '503 fairlead; error=connection_limit_reached');
  assert.equal(
    (await proxy.lines.next({ path: '/second' })).reason,
    'queue_full',
    'at once, not after a wait',
  );
  const http2 = await connectHttp2(proxy.target());
  const third = await http2.request('/third').answer;
  assert.deepEqual([third.status, value(third.headers, 'retry-after') !== null], [503, true]);
  await http2.close();
  open();
  assert.equal((await first).text, 'first');
  await assertNothingLeft(proxy, backend);
});

test('one stream at a time: the others of a connection are refused unprocessed or served, and the connection ends in peace', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    config([backend.address], {
      ...CLIENTS,
      'listeners.limits.requestsPerConnection': 50,
      'clusters.pool.queue': 50,
    }),
  );
  const client = await connectHttp2(proxy.target());
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => client.request(`/${at}`).answer));
  // A client that has not seen our SETTINGS yet may exceed them: REFUSED_STREAM (7) says that nothing was done.
  for (const { status, rstCode } of answers)
    assert(status === 200 || (status === 0 && rstCode === 7), `${status} ${rstCode}`);
  assert.equal((await client.request('/next').answer).status, 200, 'the connection is of use after that');
  await client.close();
  await assertNothingLeft(proxy, backend);
});

test('nothing is kept of an upload, so that it is sent once only', async () => {
  await using backend = await startBackend(resetBeforeHead());
  await using proxy = await startProxy(config([backend.address], { ...TWO_FIELDS, ...LENIENT }));
  const answered = await fetchRaw(proxy.target(), '/', { method: 'PUT', body: 'x' });
  assert.equal(refusal(answered), '502 fairlead; error=connection_terminated');
  assert.equal(backend.requests.length, 1);
  backend.behave(answer());
  await assertNothingLeft(proxy, backend);
});

test('a single failure opens the circuit, which says when to come back, and a single success closes it', async () => {
  await using backend = await startBackend(resetBeforeHead());
  await using proxy = await startProxy(
    config([backend.address], CLIENTS, {
      circuitBreaker: { minRequests: 1, openFor: '100ms' },
      health: { passive: 'off' },
    }),
  );
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 502);
  assert.equal(refusal(await fetchRaw(proxy.target(), '/')), '503 fairlead; error=destination_unavailable');
  backend.behave(answer());
  while ((await fetchRaw(proxy.target(), '/probe')).status !== 200);
  await assertNothingLeft(proxy, backend);
});

test('a crowd of clients of every kind: each gets its response or a refusal that is defined, and nothing is left', async () => {
  const seed = Number(process.env.FAIRLEAD_TEST_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = seededRandom(seed);
  await using backend = await startBackend(request =>
    request.target === '/reset' ? resetBeforeHead()(request) : answer({ body: request.target })(request),
  );
  const crowd = { ...TWO_FIELDS, ...LENIENT, 'clusters.pool.queue': 1 };
  await using proxy = await startProxy(config([backend.address], crowd));
  const outcomes = new Map<string, number>();
  const visits = Array.from({ length: 100 }, async () => {
    const outcome = await visit(proxy, random.unit(), random.unit() < 0.1 ? '/reset' : '/get');
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  });
  await Promise.all(visits);
  const unknown = [...outcomes.keys()].filter(outcome => !DEFINED.has(outcome));
  assert.deepEqual(unknown, [], JSON.stringify([...outcomes]));
  assert((outcomes.get('200') ?? 0) > 0, 'somebody was served');
  assert((outcomes.get('503') ?? 0) > 0, 'somebody was refused: there was a crowd');
  await assertNothingLeft(proxy, backend);
});

/** `left`: the client went without waiting. */
const DEFINED = new Set(['200', '502', '503', 'left']);

async function visit(proxy: ProxyInProcess, kind: number, path: string): Promise<string> {
  if (kind < 0.3) return String((await fetchRaw(proxy.target(), path)).status);
  if (kind < 0.6) return String((await fetchRaw(proxy.target(), path, { method: 'POST', body: 'x' })).status);
  if (kind < 0.8) {
    const client = await connectHttp2(proxy.target());
    const { status } = await client.request(path).answer;
    await client.close();
    return String(status);
  }
  using client = await connectRaw(proxy.target());
  await client.send(formatRequest(path));
  client.reset();
  return 'left';
}
