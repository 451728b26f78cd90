// Rate limits that several proxies share: a real Redis server, real proxies, and everything that can go wrong between them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { ROOT, startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type Target } from '../support/raw_client.ts';
import { startRedis } from '../support/redis_server.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** For a machine that is busy with other things: what is tested here is not how fast it is. */
const PATIENT = { timeout: '5s', connectTimeout: '10s' };
const SHARED = { key: 'clientIp', rate: '1/h', store: 'shared' };

function limitedBy(
  backend: { readonly address: string },
  redis: string,
  rateLimits: readonly Readonly<Record<string, unknown>>[],
  store: Readonly<Record<string, unknown>> = {},
  options: ForwardOptions = {},
): Record<string, unknown> {
  const stores = { shared: { redis, ...PATIENT, ...store } };
  return forwardTo([backend.address], { ...options, stores, route: { rateLimits, ...options.route } });
}

async function statuses(targets: readonly Target[], count: number): Promise<number[]> {
  const all = await Promise.all(
    Array.from({ length: count }, (_, at) => fetchRaw(targets[at % targets.length] as Target, '/')),
  );
  return all.map(({ status }) => status).toSorted();
}

const repeated = (status: number, count: number): number[] => Array.from({ length: count }, () => status);

test(
  'two proxies together admit exactly the burst, whichever gets the requests',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const config = limitedBy(backend, redis.url(), [{ ...SHARED, burst: 30 }]);
    await using one = await startProxyProcess(config);
    await using other = await startProxyProcess(config);
    const got = await statuses([one.target(), other.target()], 100);
    assert.deepEqual(got, [...repeated(200, 30), ...repeated(429, 70)]);
    assert.equal(backend.requests.length, 30);
  },
);

test('a key in the store expires, and begins with the prefix', needs('redis-server'), async () => {
  await using redis = await startRedis();
  await using backend = await startBackend(answer());
  const config = limitedBy(backend, redis.url(), [{ ...SHARED, key: 'header:x-api-key', burst: 2 }], {
    keyPrefix: 'edge:',
  });
  await using proxy = await startProxy(config);
  assert.equal((await fetchRaw(proxy.target(), '/', { headers: ['X-Api-Key', 'secret-key'] })).status, 200);
  const keys = (await redis.command('KEYS', 'edge:all/*')) as readonly string[];
  assert.equal(keys.length, 1);
  assert.match(keys[0] ?? '', /^edge:all\/header\.x-api-key:[\w-]{43}$/, 'without the key of the client');
  const ttlMs = Number(await redis.command('PTTL', keys[0] ?? ''));
  assert.ok(ttlMs > 3_500_000 && ttlMs <= 3_600_002, `one hour: ${ttlMs}`);
});

test(
  'of limits here and in the store none is charged when another refuses',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const limits = [
      { key: 'route', rate: '1/h', burst: 3 },
      { key: 'header:x-a', rate: '1/h', burst: 1, store: 'shared' },
      { key: 'header:x-b', rate: '1/h', burst: 2, store: 'shared' },
    ];
    await using proxy = await startProxy(limitedBy(backend, redis.url(), limits));
    const get = async (a: string, b: string) =>
      (await fetchRaw(proxy.target(), '/', { headers: ['X-A', a, 'X-B', b] })).status;
    assert.equal(await get('1', 'x'), 200);
    for (let count = 0; count < 5; count++) assert.equal(await get('1', 'x'), 429, 'by x-a');
    assert.equal(
      await get('2', 'x'),
      200,
      'neither the limit here nor that of x-b was charged for what x-a refused',
    );
    assert.equal(await get('3', 'x'), 429, 'by x-b');
    assert.equal(
      await get('3', 'y'),
      200,
      'x-a was not charged for what x-b refused, nor was the limit here',
    );
    assert.equal(await get('4', 'z'), 429, 'by the limit here');
    const keys = await redis.command('KEYS', '*x-a*');
    assert.equal(
      (keys as readonly string[]).length,
      3,
      'the store was not charged for what the limit here refused',
    );
  },
);

test('a shared limit in shadow mode counts and refuses no request', needs('redis-server'), async () => {
  await using redis = await startRedis();
  await using backend = await startBackend(answer());
  const limits = [{ ...SHARED, mode: 'shadow' }];
  await using proxy = await startProxy(limitedBy(backend, redis.url(), limits));
  for (let count = 0; count < 3; count++) assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  const { text } = await proxy.report.metrics('');
  assert.match(text, /fairlead_rate_limited_total\{limiter="all\/0",mode="shadow"\} 2/);
  assert.match(text, /fairlead_limit_store_seconds_count\{store="shared"\} 3/);
  assert.match(text, /fairlead_limit_store_up\{store="shared"\} 1/);
});

test(
  'responses tell what is left of the tightest limit, wherever it is counted',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const limits = [
      { key: 'route', rate: '10/s', burst: 100, headers: 'draft' },
      { key: 'clientIp', rate: '1/m', burst: 2, headers: 'draft', store: 'shared' },
      { key: 'route', rate: '1/h', burst: 1, mode: 'shadow', headers: 'draft' },
    ];
    await using proxy = await startProxy(limitedBy(backend, redis.url(), limits));
    const told = async () => {
      const { status, headers } = await fetchRaw(proxy.target(), '/');
      return [
        status,
        value(headers, 'ratelimit-policy'),
        value(headers, 'ratelimit'),
        value(headers, 'retry-after'),
      ];
    };
    assert.deepEqual(await told(), [200, '"all/1";q=2;w=120', '"all/1";r=1;t=60', null]);
    assert.deepEqual(await told(), [200, '"all/1";q=2;w=120', '"all/1";r=0;t=60', null]);
    assert.deepEqual(await told(), [429, '"all/1";q=2;w=120', '"all/1";r=0;t=60', '60']);
  },
);

for (const onError of ['allow', 'deny'] as const) {
  test(
    `a store that dies and comes back: onError ${onError} holds meanwhile, and it is told once`,
    needs('redis-server'),
    async () => {
      await using redis = await startRedis();
      await using backend = await startBackend(answer());
      const config = limitedBy(
        backend,
        redis.url(),
        [{ ...SHARED, burst: 1 }],
        { onError },
        { admin: { address: '127.0.0.1:0' } },
      );
      await using proxy = await startProxy(config);
      const get = () => fetchRaw(proxy.target(), '/', { headers: ['Accept', 'application/json'] });
      assert.equal((await get()).status, 200);
      assert.equal((await get()).status, 429);
      await redis.kill();
      const lost = await proxy.lines.next({ event: 'limit_store' });
      assert.match(String(lost['why']), /closed the connection|ECONNRESET|EPIPE/);
      for (let count = 0; count < 3; count++) {
        const without = await get();
        assert.equal(without.status, onError === 'allow' ? 200 : 503);
        if (onError === 'allow') continue;
        assert.equal(JSON.parse(without.text).reason, 'limit_store_failed');
        assert.equal(value(without.headers, 'retry-after'), '1');
      }
      const { stores } = proxy.report.status();
      assert.deepEqual([stores[0]?.name, stores[0]?.state], ['shared', 'lost']);
      assert.match(proxy.report.page().document('', ''), /Store shared has been unreachable for/);
      const { text } = await proxy.report.metrics('');
      assert.match(text, /fairlead_limit_store_errors_total\{store="shared",cause="unavailable"\} 3/);
      await redis.restart();
      const back = await proxy.lines.next({ event: 'limit_store', why: null });
      assert.equal(back['store'], 'shared');
      assert.equal(
        proxy.lines.find({ event: 'limit_store' }).length,
        2,
        'once when it went, once when it came',
      );
      assert.equal((await get()).status, 200, 'it has forgotten everything');
      assert.equal((await get()).status, 429);
      assert.doesNotMatch(proxy.report.page().document('', ''), /Store shared/);
    },
  );
}

test(
  'a store that hangs costs a request its time limit, and those after it nothing',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const store = { timeout: '100ms', onError: 'deny' };
    await using proxy = await startProxy(
      limitedBy(backend, redis.url(), [{ ...SHARED, burst: 1_000 }], store),
    );
    const get = () => fetchRaw(proxy.target(), '/');
    while ((await get()).status !== 200); // a machine that is busy may be too slow for 100 ms
    redis.signal('SIGSTOP');
    const hung = await get();
    assert.equal(hung.status, 503);
    assert.ok(hung.totalMs >= 99, `it was asked: ${hung.totalMs}`);
    assert.equal(
      proxy.lines.find({ reason: 'limit_store_failed' }).at(-1)?.['detail'],
      'store shared: timeout',
    );
    for (let count = 0; count < 2; count++) assert.equal((await get()).status, 503);
    const lost = await proxy.lines.next({ event: 'limit_store' });
    assert.ok(lost);
    assert.equal((await get()).status, 503);
    const last = await proxy.lines.next({ detail: 'store shared: unavailable' });
    assert.ok(last, 'nobody waits for a store that is lost');
    redis.signal('SIGCONT');
    await proxy.lines.next({ event: 'limit_store', why: null });
    while ((await get()).status !== 200);
  },
);

test(
  'a client that leaves while the store is asked is gone, and the store is told nothing more',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    await using proxy = await startProxy(limitedBy(backend, redis.url(), [{ ...SHARED, burst: 9 }]));
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
    redis.signal('SIGSTOP');
    {
      using client = await connectRaw(proxy.target());
      await client.send(formatRequest('/gone'));
      while (proxy.report.status().requests.active === 0) await new Promise(setImmediate);
    }
    const line = await proxy.lines.next({ path: '/gone' });
    assert.deepEqual([line['status'], line['reason']], [499, 'client_gone']);
    redis.signal('SIGCONT');
    assert.equal((await fetchRaw(proxy.target(), '/after')).status, 200);
    assert.equal(backend.requests.filter(({ target }) => target === '/gone').length, 0);
  },
);

test(
  'a body that comes to its end while the store is asked reaches the backend whole',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    await using proxy = await startProxy(limitedBy(backend, redis.url(), [{ ...SHARED, burst: 9 }]));
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
    redis.signal('SIGSTOP');
    const body = 'x'.repeat(50_000);
    const posted = fetchRaw(proxy.target(), '/upload', { method: 'POST', body });
    while (proxy.report.status().requests.active === 0) await new Promise(setImmediate);
    redis.signal('SIGCONT');
    assert.equal((await posted).status, 200);
    assert.equal((await proxy.lines.next({ path: '/upload' }))['bytesIn'], body.length);
  },
);

test(
  'a reload that changes or removes the store closes its connections, and keeps one that stays',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const limits = [{ ...SHARED, burst: 2 }];
    const first = limitedBy(backend, redis.url(), limits);
    await using proxy = await startProxyProcess(first);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
    assert.equal(await redis.clients(), 1);
    const reload = async (config: Record<string, unknown>) => {
      proxy.rewrite(config);
      proxy.signal('SIGHUP');
      assert.equal((await proxy.lines.next({ event: 'reload' }))['result'], 'applied');
    };
    await reload(
      limitedBy(backend, redis.url(), limits, {}, { route: { timeouts: { responseHead: '9s' } } }),
    );
    assert.equal(await redis.clients(), 1, 'the same one');
    await reload(limitedBy(backend, redis.url(), limits, { onError: 'deny' }));
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
    while ((await redis.clients()) !== 1); // the old one is on its way out
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 429, 'what was used is still used');
    await reload(forwardTo([backend.address]));
    while ((await redis.clients()) !== 0);
    assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  },
);

test(
  'a start does not wait for a store that is not there, and the first requests wait for one that is',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis();
    await using backend = await startBackend(answer());
    const absent = limitedBy(backend, 'redis://127.0.0.1:1', [SHARED]);
    await using alone = await startProxy(absent);
    assert.equal((await fetchRaw(alone.target(), '/')).status, 200);
    assert.match(String((await alone.lines.next({ event: 'limit_store' }))['why']), /connect refused/);
    await using proxy = await startProxy(
      limitedBy(backend, redis.url(), [{ ...SHARED, burst: 1 }], { onError: 'deny' }),
    );
    assert.deepEqual(await statuses([proxy.target()], 3), [200, 429, 429], 'at once after the start');
  },
);

test(
  'password and database of the URL are used; the password is shown nowhere',
  needs('redis-server'),
  async () => {
    await using redis = await startRedis(['--requirepass', 'open%sesame']);
    await using backend = await startBackend(answer());
    const url = redis.url(':open%25sesame@');
    const config = limitedBy(
      backend,
      `${url}/3`,
      [{ ...SHARED, burst: 1 }],
      { onError: 'deny' },
      { admin: { address: '127.0.0.1:0' } },
    );
    await using proxy = await startProxy(config);
    assert.deepEqual(await statuses([proxy.target()], 2), [200, 429]);
    const shown =
      JSON.stringify([proxy.report.plan(), proxy.report.status()]) + proxy.report.page().document('', '');
    assert.doesNotMatch(shown, /sesame/);
    await using wrong = await startProxy(
      limitedBy(backend, redis.url(':guess@'), [SHARED], { onError: 'deny' }),
    );
    const { why } = await wrong.lines.next({ event: 'limit_store' });
    assert.match(String(why), /WRONGPASS/);
    assert.doesNotMatch(JSON.stringify(wrong.lines.find({})), /guess|sesame/);
  },
);

test('a script that the server has forgotten is sent again', needs('redis-server'), async () => {
  await using redis = await startRedis();
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(
    limitedBy(backend, redis.url(), [{ ...SHARED, burst: 2 }], { onError: 'deny' }),
  );
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  await redis.command('SCRIPT', 'FLUSH');
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 429);
  assert.deepEqual(proxy.lines.find({ event: 'limit_store' }), []);
});

test('a read-only server is not used as a store, which is reported once', needs('redis-server'), async () => {
  await using primary = await startRedis();
  await using replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(limitedBy(backend, replica.url(), [SHARED], { onError: 'deny' }));
  const { why } = await proxy.lines.next({ event: 'limit_store' });
  assert.match(String(why), /READONLY|LOADING|MASTERDOWN/);
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 503);
  await replica.command('REPLICAOF', 'NO', 'ONE');
  await proxy.lines.next({ event: 'limit_store', why: null });
  assert.equal((await fetchRaw(proxy.target(), '/')).status, 200);
});

test('examples/shared-limits.yaml serves with its store, and without', needs('redis-server'), async () => {
  await using redis = await startRedis();
  await using backend = await startBackend(answer());
  const text = readFileSync(join(ROOT, 'examples/shared-limits.yaml'), 'utf8')
    .replace('127.0.0.1:9901', '127.0.0.1:0')
    .replace('127.0.0.1:8080', '127.0.0.1:0')
    .replace('127.0.0.1:9000, 127.0.0.1:9001', backend.address)
    .replace(/\$\{REDIS_URL[^}]*\}/, redis.url())
    .replace('timeout: 50ms', 'timeout: 5s');
  await using proxy = await startProxy(text);
  const { status, headers } = await fetchRaw(proxy.target(), '/api');
  assert.equal(status, 200);
  assert.match(value(headers, 'ratelimit') ?? '', /^"api\/0";r=199;t=1$/);
  const scrape = await proxy.report.metrics('');
  assert.match(scrape.text, /fairlead_limit_store_seconds_count\{store="shared"\} 1/);
  await redis.kill();
  await proxy.lines.next({ event: 'limit_store' });
  assert.equal((await fetchRaw(proxy.target(), '/api')).status, 200);
});
