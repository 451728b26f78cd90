// What is decided about a request before any backend is asked, in this order; each refusal costs nothing of what comes after it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, echo } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { type ProxyOnFakeClock, startOnFakeClock } from '../support/proxy_on_fake_clock.ts';
import { fetchRaw, type RequestOptions } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const TRUSTED = { trustedProxies: ['127.0.0.1/32'] };

interface Got {
  readonly status: number;
  readonly reason: string;
}

/** One request after another, as status and reason, and what the backend has seen. */
async function withProxy(
  options: ForwardOptions,
  use: (
    get: (path?: string, request?: RequestOptions) => Promise<Got>,
    backend: ScriptedBackend,
    proxy: ProxyOnFakeClock,
  ) => Promise<void>,
): Promise<void> {
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(forwardTo([backend.address], options));
  const get = async (path = '/', request: RequestOptions = {}): Promise<Got> => {
    const { status, text } = await fetchRaw(proxy.target, path, request);
    return { status, reason: status === 200 ? '' : (/reason: (\w+)/.exec(text)?.[1] ?? text) };
  };
  await use(get, backend, proxy);
}

const SERVED: Got = { status: 200, reason: '' };

function fillHeap(proxy: ProxyOnFakeClock, ratio: number): void {
  proxy.overload.sample(0, ratio);
}

test('with too much to do a request is refused before anything else is done for it, and healthPath still answers', () =>
  withProxy(
    {
      listener: { healthPath: '/-/ready' },
      route: { rateLimits: [{ key: 'route', rate: '1/m' }] },
    },
    async (get, backend, proxy) => {
      fillHeap(proxy, 1);
      for (let count = 0; count < 3; count++)
        assert.deepEqual(await get(), { status: 503, reason: 'overloaded' });
      assert.equal((await get('/-/ready')).status, 200);
      fillHeap(proxy, 0.1);
      assert.deepEqual(await get(), SERVED, 'its allowance is untouched');
      assert.equal(backend.requests.length, 1);
    },
  ));

test('healthPath says whether the process takes requests, without asking a backend', () =>
  withProxy(
    { listener: { healthPath: '/-/ready', access: { deny: ['127.0.0.1/32'] } } },
    async (get, backend, proxy) => {
      assert.equal((await get('/-/ready')).status, 200);
      proxy.isReady = false;
      assert.equal((await get('/-/ready')).status, 503);
      assert.deepEqual(
        await get('/-/ready/'),
        { status: 403, reason: 'access_denied' },
        'that path and no other',
      );
      assert.equal(backend.requests.length, 0);
    },
  ));

test('the log says whether the listener or the route has denied access', async () => {
  const deny = { access: { deny: ['127.0.0.1/32'] } };
  for (const options of [{ listener: deny }, { route: deny }])
    await withProxy(options, async (get, backend, proxy) => {
      assert.deepEqual(await get(), { status: 403, reason: 'access_denied' });
      const [line] = proxy.lines.find({ path: '/' });
      assert.equal(line?.['route'] === 'all', options.route !== undefined);
      assert.equal(backend.requests.length, 0);
    });
});

test('a body that is too large, by its length, uses up no allowance and reaches no backend', () =>
  withProxy(
    { route: { limits: { bodyBytes: '10B' }, rateLimits: [{ key: 'route', rate: '1/m' }] } },
    async (get, backend) => {
      const large = { method: 'POST', body: 'eleven byte' };
      for (let count = 0; count < 2; count++)
        assert.deepEqual(await get('/', large), { status: 413, reason: 'body_too_large' });
      assert.deepEqual(await get('/', { method: 'POST', body: 'ten bytes!' }), SERVED);
      assert.equal(backend.requests.length, 1);
    },
  ));

test('of two limits that refuse, the longer wait is reported; a limit in shadow mode refuses nobody', async () => {
  const rateLimits = [
    { key: 'route', rate: '1/m', burst: 1 },
    { key: 'route', rate: '60/m', burst: 1 },
    { key: 'route', rate: '1/h', burst: 1, mode: 'shadow' },
  ];
  await using backend = await startBackend(answer());
  await using proxy = await startOnFakeClock(forwardTo([backend.address], { route: { rateLimits } }));
  assert.equal((await fetchRaw(proxy.target, '/')).status, 200);
  const refused = await fetchRaw(proxy.target, '/');
  assert.deepEqual([refused.status, value(refused.headers, 'retry-after')], [429, '60']);
  proxy.clock.advance(60_000);
  assert.equal((await fetchRaw(proxy.target, '/')).status, 200, 'although the one in shadow would not');
});

test('only a trusted peer can set a deadline, and one that has passed or is malformed reaches no backend', async () => {
  const over: RequestOptions = { headers: ['X-Request-Deadline-Ms', '0'] };
  const nonsense: RequestOptions = { headers: ['X-Request-Deadline-Ms', '-1'] };
  await withProxy({}, async (get, backend) => {
    assert.deepEqual(await get('/', over), SERVED);
    assert.deepEqual(await get('/', nonsense), SERVED);
    assert.equal(backend.requests.length, 2);
  });
  await withProxy({ listener: TRUSTED }, async (get, backend, proxy) => {
    assert.deepEqual(await get('/', over), { status: 504, reason: 'request_timeout' });
    assert.deepEqual(proxy.lines.find({ status: 504 })[0]?.['timeout'], {
      name: 'request',
      ms: 0,
      origin: 'X-Request-Deadline-Ms',
    });
    assert.deepEqual(await get('/', nonsense), { status: 400, reason: 'bad_request' });
    assert.equal(backend.requests.length, 0);
  });
});

test('only a trusted peer can set the request id, and only one that is safe in a log', async () => {
  const requestIdOf = async (listener: Readonly<Record<string, unknown>>, offered: string) => {
    await using backend = await startBackend(echo());
    await using proxy = await startOnFakeClock(forwardTo([backend.address], { listener }));
    const { headers } = await fetchRaw(proxy.target, '/', { headers: ['X-Request-Id', offered] });
    const sent = value(backend.requests[0]?.headers ?? [], 'x-request-id');
    assert.equal(value(headers, 'x-request-id'), sent, 'client and backend hear of the same one');
    return sent;
  };
  assert.equal(await requestIdOf(TRUSTED, 'from-the-edge-1'), 'from-the-edge-1');
  assert.notEqual(await requestIdOf(TRUSTED, 'two words'), 'two words');
  assert.notEqual(await requestIdOf({}, 'from-the-edge-1'), 'from-the-edge-1');
});

test('a request that has been here before is answered 508, and not sent round once more', () =>
  withProxy({}, async (get, backend) => {
    assert.deepEqual(await get(), SERVED);
    const via = value(backend.requests[0]?.headers ?? [], 'via') ?? '';
    assert.deepEqual(await get('/', { headers: ['Via', via] }), { status: 508, reason: 'loop_detected' });
    assert.deepEqual(await get('/', { headers: ['Via', '1.1 another'] }), SERVED);
  }));

test('what the proxy answers by itself has the edits of its route, a length and the request id', () =>
  withProxy(
    {
      routes: [
        {
          name: 'robots',
          match: { path: { exact: '/robots.txt' } },
          respond: { status: 200, body: 'hello' },
          headers: { response: { set: { 'X-Own': '1' } } },
        },
        { name: 'nothing', match: { path: { exact: '/nothing' } }, respond: { status: 204 } },
      ],
    },
    async (_get, backend, proxy) => {
      const robots = await fetchRaw(proxy.target, '/robots.txt');
      assert.deepEqual(
        ['x-own', 'content-length', 'x-request-id'].map(name => value(robots.headers, name) !== null),
        [true, true, true],
      );
      const nothing = await fetchRaw(proxy.target, '/nothing');
      assert.deepEqual([nothing.status, value(nothing.headers, 'content-length')], [204, null]);
      assert.equal(backend.requests.length, 0);
    },
  ));

test('only clients in logging.explain.from get the id of a decision record', async () => {
  const explained = async (from: readonly string[]) => {
    await using backend = await startBackend(answer());
    await using proxy = await startOnFakeClock(
      forwardTo([backend.address], { logging: { explain: { from } } }),
    );
    const { headers } = await fetchRaw(proxy.target, '/', { headers: ['X-Fairlead-Explain', '1'] });
    return value(headers, 'x-fairlead-explain') !== null;
  };
  assert.equal(await explained(['127.0.0.1/32']), true);
  assert.equal(await explained(['192.0.2.0/24']), false);
  assert.equal(await explained([]), false);
});
