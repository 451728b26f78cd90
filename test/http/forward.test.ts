// The attempt loop and its timers, to the millisecond: real sockets, and a clock that only the test moves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { after, answer, closeBeforeHead, inTurn, staySilent, write } from '../support/backend_behaviours.ts';
import { formatHead } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { type Behaviour, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const ONCE = { retries: { attempts: 0 } };
const TRUSTED = { trustedProxies: ['127.0.0.1/32'] };

/** Nothing is answered 1 ms before, and 504 with this reason at the time itself. */
async function assertFailsAfter(
  proxy: ProxyOnFakeClock,
  answering: Promise<{ readonly status: number }>,
  afterMs: number,
  reason: string,
): Promise<void> {
  proxy.clock.advance(afterMs - 1);
  assert.equal(proxy.traffic.active.size, 1, `it still waits after ${afterMs - 1} ms`);
  proxy.clock.advance(1);
  await turnsUntil(() => proxy.traffic.active.size === 0);
  assert.deepEqual(
    proxy.lines.find({ path: '/' }).map(line => line.reason),
    [reason],
    `after ${afterMs} ms`,
  );
  assert.equal((await answering).status, 504);
}

/** What is to happen without time has happened within so many turns, or does not happen. */
async function turnsUntil(condition: () => boolean): Promise<void> {
  for (let done = 0; done < 2_000 && !condition(); done++) await turn();
}

/** Whatever is in the sockets of this process is read in so many turns of its event loop. */
async function turns(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await turn();
}

/** The backend says when it has the whole request, and then nothing. */
function silentBackend() {
  const { promise: isWhole, resolve } = Promise.withResolvers<void>();
  const behaviour: Behaviour = async request => {
    await request.body();
    resolve();
    return staySilent()(request);
  };
  return { isWhole, behaviour };
}

test('timeouts.request starts after the upload: a slow upload that moves may take any time, a backend may not', async () => {
  const { isWhole, behaviour } = silentBackend();
  await using backend = await startBackend(behaviour);
  const listener = { timeouts: { bodyIdle: '10s' } };
  const route = { ...ONCE, timeouts: { request: '2s', responseHead: 'off' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener, route }));
  using client = await connectRaw(proxy.target);
  await client.send(formatRequest('/', { method: 'POST', headers: ['Content-Length', '8'], body: 'half' }));
  await backend.requestCount(1);
  proxy.clock.advance(9_000);
  await client.send('rest');
  await isWhole;
  await assertFailsAfter(proxy, client.answer(), 2_000, 'request_timeout');
});

for (const { what, deadlineAtMs, requestMs } of [
  { what: 'a deadline sooner than timeouts.request', deadlineAtMs: 300, requestMs: 2_000 },
  { what: 'a timeouts.request sooner than the deadline', deadlineAtMs: 2_000, requestMs: 300 },
])
  for (const body of [undefined, 'upload'])
    test(`${what} ends a request ${body === undefined ? 'without' : 'with'} a body`, async () => {
      const { isWhole, behaviour } = silentBackend();
      await using backend = await startBackend(behaviour);
      const timeouts = { request: `${requestMs}ms`, responseHead: 'off' };
      await using proxy = await startOnFakeClock(
        forwardTo([backend.address], { listener: TRUSTED, route: { ...ONCE, timeouts } }),
      );
      const headers = ['X-Request-Deadline-Ms', String(deadlineAtMs)];
      const method = body === undefined ? 'GET' : 'POST';
      const request = { method, headers, ...(body === undefined ? {} : { body }) };
      const answering = fetchRaw(proxy.target, '/', request);
      await isWhole;
      await assertFailsAfter(proxy, answering, 300, 'request_timeout');
    });

test('a deadline is kept while the upload still moves', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(
    forwardTo([backend.address], { listener: TRUSTED, route: ONCE }),
  );
  using client = await connectRaw(proxy.target);
  const headers = ['X-Request-Deadline-Ms', '300', 'Content-Length', '1000'];
  await client.send(formatRequest('/', { method: 'POST', headers, body: 'begun' }));
  await backend.requestCount(1);
  await assertFailsAfter(proxy, client.answer(), 300, 'request_timeout');
});

test('a backend that falls silent behind a slow reader fails after responseIdle', async () => {
  const chunks = 512;
  const chunk = Buffer.alloc(64 * 1_024, 'x');
  let sent = 0;
  const stalls: Behaviour = async (request): Promise<'over'> => {
    request.socket.write(
      formatHead('HTTP/1.1 200 OK', ['Content-Length', String((chunks + 1) * chunk.length)]),
    );
    for (; sent < chunks; sent++) await write(request, chunk);
    return 'over';
  };
  await using backend = await startBackend(stalls);
  const listener = { timeouts: { bodyIdle: '1h' } };
  const route = { ...ONCE, timeouts: { responseIdle: '5s' } };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener, route }));
  using client = await connectRaw(proxy.target);
  await client.send(formatRequest('/'));
  assert.equal((await client.head()).status, 200);
  // Until nothing moves any more, the kernel being full: the proxy waits for the client.
  for (let seen = -1; seen !== sent; await turns(50)) seen = sent;
  assert.ok(sent < chunks);
  for (let left = chunks * chunk.length; left > 0; ) left -= (await client.reader.some())?.length ?? left;
  await turns(20);
  proxy.clock.advance(4_999);
  assert.equal(proxy.traffic.active.size, 1);
  proxy.clock.advance(1);
  await turnsUntil(() => proxy.traffic.active.size === 0);
  const [line] = proxy.lines.find({ path: '/' });
  assert.deepEqual([line?.status, line?.reason], [200, 'response_idle_timeout']);
});

test('every request earns its cluster a share of a retry: with nothing else to live on, a first failure is repeated', async () => {
  await using backend = await startBackend(inTurn(closeBeforeHead(), answer({ body: 'in the end' })));
  const retryBudget = { ratio: 1, minPerSecond: 0 };
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { cluster: { retryBudget } }));
  const answering = fetchRaw(proxy.target, '/');
  await backend.requestCount(1);
  await turnsUntil(() => {
    proxy.clock.advance(1); // the pause before the retry, at most 250 ms
    return proxy.traffic.active.size === 0;
  });
  assert.equal((await answering).text, 'in the end');
});

test('of the interim responses of a backend a client gets 16 at once and one more each second, whatever it sends', async () => {
  const { promise: second, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: last, resolve: end } = Promise.withResolvers<void>();
  const hints = formatHead('HTTP/1.1 103 Early Hints', ['Link', '</a.css>']);
  const floods: Behaviour = async request => {
    await write(request, Buffer.concat(Array<Buffer>(40).fill(hints)));
    await second;
    await write(request, Buffer.concat(Array<Buffer>(40).fill(hints)));
    return after(last, answer())(request);
  };
  await using backend = await startBackend(floods);
  await using proxy = await startOnFakeClock(forwardTo([backend.address]));
  using client = await connectRaw(proxy.target);
  const answering = client.answer();
  await client.send(formatRequest('/'));
  await backend.requestCount(1);
  await turns(20);
  proxy.clock.advance(2_000);
  goOn();
  await turns(20);
  end();
  const { information } = await answering;
  assert.equal(information.length, 16 + 2);
});
