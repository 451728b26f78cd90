// Phase 5: what happens when backends fail is bounded, explained, and never makes things worse.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  answer,
  closeOnReuse,
  echo,
  inTurn,
  resetBeforeHead,
  stallAfterHead,
  staySilent,
  tunnel,
} from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { type ProxyInProcess, startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import { type Behaviour, type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

/** With the admin API, for its metrics. */
async function withProxy(
  behaviour: Behaviour,
  options: Record<string, unknown>,
  use: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<void>,
): Promise<void> {
  await using backend = await startBackend(behaviour);
  await using proxy = await startProxy(
    forwardTo([backend.address], { admin: { address: '127.0.0.1:0' }, ...options }),
  );
  await use(proxy, backend);
}

async function metricsOf(proxy: ProxyInProcess): Promise<string> {
  return (await fetchRaw(proxy.admin(), '/metrics', { headers: ['Host', 'localhost'] })).text;
}

// ---- Timeouts: each has its name, its value and its line

interface Timed {
  readonly behaviour: Behaviour;
  readonly options: Record<string, unknown>;
  readonly name: string;
  readonly origin: RegExp;
  readonly send?: (proxy: ProxyInProcess, backend: ScriptedBackend) => Promise<unknown>;
}

const WRITTEN = /^fairlead\.yaml:\d+:\d+$/;
const ONE_BUSY = { cluster: { pool: { connections: 1, queueTimeout: '50ms' } } };
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const TIMED: readonly Timed[] = [
  {
    name: 'responseHead',
    behaviour: staySilent(),
    options: { route: { timeouts: { responseHead: '50ms' }, retries: { attempts: 0 } } },
    origin: WRITTEN,
  },
  {
    name: 'perTry',
    behaviour: staySilent(),
    options: { route: { retries: { attempts: 0, perTry: '50ms' } } },
    origin: WRITTEN,
  },
  {
    name: 'responseIdle',
    behaviour: stallAfterHead(),
    options: { route: { timeouts: { responseIdle: '50ms' } } },
    origin: WRITTEN,
  },
  {
    name: 'request',
    behaviour: staySilent(),
    options: { listener: { timeouts: { request: '50ms' } } },
    origin: WRITTEN,
  },
  {
    name: 'bodyIdle',
    behaviour: answer(),
    options: { listener: { timeouts: { bodyIdle: '50ms' } } },
    origin: WRITTEN,
    send: proxy => sendBytes(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'),
  },
  {
    name: 'head',
    behaviour: answer(),
    options: { listener: { timeouts: { head: '50ms' } } },
    origin: WRITTEN,
    send: proxy => sendBytes(proxy, 'GET / HTTP/1.1\r\nHost:'),
  },
  {
    name: 'queueTimeout',
    behaviour: staySilent(),
    options: ONE_BUSY,
    origin: WRITTEN,
    send: async (proxy, backend) => {
      using first = await connectRaw(proxy.target());
      void first.send(formatRequest('/'));
      await backend.requestCount(1);
      await fetchRaw(proxy.target(), '/');
    },
  },
  {
    name: 'connectTimeout',
    behaviour: answer(),
    options: { cluster: { tls: { verify: false }, pool: { connectTimeout: '50ms' } } },
    origin: WRITTEN,
  },
  {
    name: 'tunnelIdle',
    behaviour: tunnel(() => {}),
    options: { route: { timeouts: { tunnelIdle: '50ms' } } },
    origin: WRITTEN,
    send: proxy => sendBytes(proxy, UPGRADE),
  },
];

async function sendBytes(proxy: ProxyInProcess, bytes: string): Promise<void> {
  using client = await connectRaw(proxy.target());
  void client.send(bytes);
  await client.answer();
}

for (const { name, behaviour, options, origin, send } of TIMED) {
  test(`the timeout ${name} says its name, its value and the line that set it`, () =>
    withProxy(behaviour, options, async (proxy, backend) => {
      const sent = send === undefined ? fetchRaw(proxy.target(), '/') : send(proxy, backend);
      await sent.catch((error: unknown) => assert.ok(error instanceof TruncatedAnswer, String(error)));
      const line = await proxy.lines.next(({ timeout }) => timeout !== undefined);
      const timeout = line['timeout'] as { name: string; ms: number; origin: string };
      assert.equal(timeout.name, name);
      assert.equal(timeout.ms, 50);
      assert.match(timeout.origin, origin);
      await backend.close();
    }));
}

test('the origin of a timeout that is not configured is default', () =>
  withProxy(
    staySilent(),
    { route: { timeouts: { request: '50ms', responseHead: 'off' } }, cluster: { pool: { connections: 1 } } },
    async (proxy, backend) => {
      await fetchRaw(proxy.target(), '/');
      const line = await proxy.lines.next({ reason: 'request_timeout' });
      assert.match(JSON.stringify(line['timeout']), /"name":"request","ms":50,"origin":"fairlead.yaml:/);
      await backend.close();
    },
  ));

// ---- Retries: a stale connection, and what stands against one

test('a stale connection is retried at once on a fresh one, and no endpoint is blamed', () =>
  withProxy(
    closeOnReuse(answer({ body: 'fresh' })),
    {
      cluster: {
        health: { passive: { consecutiveFailures: 1 } },
        retryBudget: { ratio: 0, minPerSecond: 0 },
      },
    },
    async (proxy, backend) => {
      // Two connections, both of which the backend will close when they are used again.
      await Promise.all([fetchRaw(proxy.target(), '/'), fetchRaw(proxy.target(), '/')]);
      await backend.requestCount(2);
      const again = await fetchRaw(proxy.target(), '/again');
      assert.equal(again.status, 200, 'although the budget is empty: it is no further load');
      const line = await proxy.lines.next({ path: '/again' });
      const attempts = line['attempts'] as { reused: boolean; reason: string | null }[];
      assert.deepEqual(
        attempts.map(({ reused, reason }) => [reused, reason]),
        [
          [true, 'reset_before_head'],
          [false, null],
        ],
      );
      assert.deepEqual(proxy.lines.find({ event: 'health_changed' }), [], 'passive health has heard nothing');
    },
  ));

test('a POST on a stale connection is never sent twice', () =>
  withProxy(closeOnReuse(answer()), {}, async (proxy, backend) => {
    await fetchRaw(proxy.target(), '/');
    const post = await fetchRaw(proxy.target(), '/', { method: 'POST', body: 'x' });
    assert.equal(post.status, 502);
    const line = await proxy.lines.next({ method: 'POST' });
    assert.equal(line['retryRefused'], 'not_idempotent');
    assert.equal(backend.requests.filter(({ method }) => method === 'POST').length, 1);
  }));

test('a POST of which not a byte was written is sent again', () =>
  withProxy(answer(), { cluster: { pool: { idle: '1m' } } }, async (proxy, backend) => {
    await fetchRaw(proxy.target(), '/first');
    using client = await connectRaw(proxy.target());
    // Its head has a backend connection; nothing is written there before the first piece of the body.
    await client.send('POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
    assert.match(String(await client.reader.until('\r\n\r\n')), /^HTTP\/1\.1 100 /);
    backend.requests[0]?.socket.resetAndDestroy();
    while (backend.connections.total < 2) await turn(); // the proxy has noticed, and has another one
    await client.send('abc');
    assert.equal((await client.answer('POST')).status, 200);
    const line = await proxy.lines.next({ path: '/post' });
    const attempts = line['attempts'] as { reused: boolean; reason: string | null }[];
    assert.deepEqual(
      attempts.map(({ reused, reason }) => [reused, reason]),
      [
        [true, 'reset_before_head'],
        [false, null],
      ],
    );
  }));

test('a retry that the budget refuses says so in log and metrics', () =>
  withProxy(
    resetBeforeHead(),
    { cluster: { retryBudget: { ratio: 0, minPerSecond: 0 } } },
    async (proxy, backend) => {
      assert.equal((await fetchRaw(proxy.target(), '/')).status, 502);
      const line = await proxy.lines.next({ reason: 'reset_before_head' });
      assert.equal(line['retryRefused'], 'budget_empty');
      assert.equal(backend.requests.length, 1);
      assert.match(
        await metricsOf(proxy),
        /fairlead_retries_refused_total\{cluster="app",why="budget_empty"\} 1\n/,
      );
    },
  ));

// ---- The circuit of a cluster

test('when the cluster as a whole fails its circuit opens, says when it is worth coming back, and closes by itself', async () => {
  await using one = await startBackend(answer({ status: 500 }));
  await using two = await startBackend(answer({ status: 500 }));
  await using proxy = await startProxy(
    forwardTo([one.address, two.address], {
      cluster: {
        health: { passive: 'off' },
        circuitBreaker: { minRequests: 4, window: '10s', openFor: '200ms' },
        loadBalancing: { policy: 'roundRobin' },
      },
    }),
  );
  for (let count = 0; count < 4; count++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 500);
  await proxy.lines.next({ event: 'circuit_changed', endpoint: null, to: 'open' });
  const refused = await fetchRaw(proxy.target(), '/');
  assert.deepEqual([refused.status, value(refused.headers, 'retry-after')], [503, '1']);
  const line = await proxy.lines.next({ reason: 'circuit_open' });
  assert.deepEqual(line['attempts'], []);

  one.behave(answer());
  two.behave(answer());
  while ((await fetchRaw(proxy.target(), '/')).status !== 200);
  await proxy.lines.next({ event: 'circuit_changed', endpoint: null, to: 'closed' });
});

// ---- Deadlines

const TRUSTED = { listener: { trustedProxies: ['127.0.0.1/32'] } };
const deadline = (text: string) => ({ headers: ['X-Request-Deadline-Ms', text] });
const seenBy = (text: string) => value(JSON.parse(text).headers, 'x-request-deadline-ms');

test('the deadline of a trusted peer is lowered and passed on, that of anybody else is dropped', async () => {
  await withProxy(echo(), TRUSTED, async proxy => {
    const { text } = await fetchRaw(proxy.target(), '/', deadline('5000'));
    const left = Number(seenBy(text));
    assert.ok(left > 3_000 && left < 5_000, `${left} of 5000 ms are left`);
    assert.equal(seenBy((await fetchRaw(proxy.target(), '/')).text), null);
  });
  await withProxy(echo(), {}, async proxy => {
    assert.equal(seenBy((await fetchRaw(proxy.target(), '/', deadline('5000'))).text), null);
    assert.equal((await fetchRaw(proxy.target(), '/', deadline('0'))).status, 200);
  });
});

test('a deadline that is over is answered 504 without asking a backend; nonsense is 400', () =>
  withProxy(answer(), TRUSTED, async (proxy, backend) => {
    assert.equal((await fetchRaw(proxy.target(), '/', deadline('0'))).status, 504);
    const line = await proxy.lines.next({ reason: 'request_timeout' });
    assert.deepEqual(line['timeout'], { name: 'request', ms: 0, origin: 'X-Request-Deadline-Ms' });
    for (const text of ['-1', '1.5', 'soon', ''])
      assert.equal((await fetchRaw(proxy.target(), '/', deadline(text))).status, 400, text);
    assert.equal(backend.connections.total, 0);
  }));

test('a deadline bounds the request, attempts and pauses included', () =>
  withProxy(staySilent(), TRUSTED, async (proxy, backend) => {
    const late = await fetchRaw(proxy.target(), '/', deadline('100'));
    assert.equal(late.status, 504);
    const line = await proxy.lines.next({ reason: 'request_timeout' });
    assert.equal((line['timeout'] as { origin: string }).origin, 'X-Request-Deadline-Ms');
    await backend.close();
  }));

// ---- Nothing is left behind

test('100,000 requests leave no timer behind', needs('h2load'), () =>
  withProxy(inTurn(answer({ body: 'x' })), {}, async (proxy, backend) => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    await fetchRaw(proxy.target(), '/');
    const before = timers();
    const url = `http://127.0.0.1:${proxy.target().port}/`;
    await promisify(execFile)(program('h2load'), ['--h1', '-n', '100000', '-c', '32', url]);
    await backend.requestCount(100_000);
    await backend.close();
    assert.ok(timers() <= before + 4, `${before} before, ${timers()} after`);
  }),
);
