// Settings in the words of the file: each key that is shown is the one that sets it, with its line, as it was written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLimits, unitText } from '../../src/admin/settings_in_force.ts';
import { forwardTo, load } from '../support/plan_builder.ts';

const CLUSTERS = `
clusters:
  app:
    endpoints: [127.0.0.1:9000]
    pool:
      connectTimeout: 2s
      connections: 12
      queue: 13
      queueTimeout: 900ms
      idle: 3s
      maxRequests: 14
      maxAge: 2h
    retryBudget:
      ratio: 0.3
      minPerSecond: 15
    circuitBreaker:
      failureRatio: 0.4
      minRequests: 16
      window: 11s
      openFor: 6s
`;
/** Every setting with a value of its own, one in a line; in a file, `routes.all` is a part of a list. */
const EVERYTHING = `version: 1
admin: off
process:
  bufferedBytes: 64MiB
  overload:
    eventLoopDelay: 150ms
    heapRatio: 0.8
listeners:
  main:
    address: 127.0.0.1:8080
    trustedProxies: [10.0.0.0/8]
    trustedHops: 2
    proxyProtocol: { required: true, from: [10.0.0.0/8] }
    limits:
      connections: 1001
      connectionsPerIp: 101
      tunnelsPerIp: 102
      headBytes: 17KiB
      headerCount: 103
      uriBytes: 7KiB
      bodyBytes: 9MiB
      minUploadRate: 250B/s
      minDownloadRate: 251B/s
      requestsPerConnection: 104
    timeouts:
      proxyHeader: 4s
      head: 9s
      bodyIdle: 29s
      keepAliveIdle: 74s
      request: 59s
routes:
  - name: all
    forward: { cluster: app }
    timeouts:
      responseHead: 28s
      responseIdle: 58s
      tunnelIdle: 9m
    retries:
      attempts: 3
      perTry: 27s
      replayBytes: 63KiB
      backoff:
        base: 24ms
        max: 240ms
${CLUSTERS.trim()}
`;

function rowsOf(config: string | Readonly<Record<string, unknown>>) {
  const { plan, origins } = load(config, 'edge.yaml');
  const [route] = plan.routes;
  const listener = plan.listeners['main'];
  assert(route !== undefined && listener !== undefined);
  return { plan, origins, rows: describeLimits(plan, route, listener, origins) };
}

/** The key that a line of block-style YAML sets, and its value. */
function keyOfLine(text: string, wanted: number): { key: string; value: string } {
  const stack: { indent: number; name: string }[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const [, space = '', name = '', value = ''] = /^( *)(?:- name: )?([\w]+):? ?(.*)$/.exec(line) ?? [];
    while ((stack.at(-1)?.indent ?? -1) >= space.length) stack.pop();
    stack.push({ indent: space.length, name });
    if (at + 1 === wanted) return { key: stack.map(part => part.name).join('.'), value };
  }
  throw new Error(`there is no line ${wanted}`);
}

test('each setting is called by the key that sets it, with the value as it was written and the line', () => {
  const { rows } = rowsOf(EVERYTHING);
  for (const { key, text, origin } of rows) {
    const line = Number(/^edge\.yaml:(\d+):\d+$/.exec(origin)?.[1]);
    assert(line > 0, `${key} is ${origin}, although the file sets everything`);
    assert.deepEqual({ key, value: text }, keyOfLine(EVERYTHING, line));
  }
  assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length, 'no key twice');
});

test('for a program each has the path of the plan that holds its value', () => {
  const { plan, origins, rows } = rowsOf(EVERYTHING);
  const leaves = origins.ofLeaves(plan);
  for (const { name, path, value } of rows) {
    assert(leaves.has(path), `${name}: the plan has no ${path}`);
    const parts = path.split('.');
    let found: unknown = parts[0] === 'routes' ? plan.routes[0] : plan;
    for (const part of parts.slice(parts[0] === 'routes' ? 2 : 0))
      found = (found as Record<string, unknown>)[part];
    assert.equal(found, value, `${name} is not ${path}`);
  }
  for (const name of ['headMs', 'requestMs', 'app.circuit.openMs', 'retries.attemptsMax', 'proxyHeaderMs'])
    assert(
      rows.some(row => row.name === name),
      `${name} keeps its name`,
    );
});

test('of what route and listener can both set, the key of the one that was used is shown', () => {
  const keyOf = (config: Readonly<Record<string, unknown>>, name: string) =>
    rowsOf(config).rows.find(row => row.name === name);
  const plain = keyOf(forwardTo(['127.0.0.1:1']), 'requestMs');
  assert.deepEqual(
    [plain?.key, plain?.text, plain?.origin],
    ['listeners.main.timeouts.request', '1m', 'default'],
  );
  const ofRoute = keyOf(forwardTo(['127.0.0.1:1'], { route: { timeouts: { request: '7s' } } }), 'requestMs');
  assert.deepEqual([ofRoute?.key, ofRoute?.text], ['routes.all.timeouts.request', '7s']);
  const off = keyOf(forwardTo(['127.0.0.1:1'], { route: { limits: { bodyBytes: 'off' } } }), 'bodyBytesMax');
  assert.deepEqual([off?.key, off?.text, off?.value], ['routes.all.limits.bodyBytes', 'off', null]);
});

test('what a preset sets cites the preset', () => {
  const { rows } = rowsOf(forwardTo(['127.0.0.1:1'], { listener: { preset: 'gcp-alb' } }));
  const idle = rows.find(({ key }) => key === 'listeners.main.timeouts.keepAliveIdle');
  assert.match(idle?.origin ?? '', /^edge\.yaml:\d+:\d+ \(preset gcp-alb\)$/);
});

test('a rate limit says whom it counts, where, and whether it refuses', () => {
  const rateLimits = [
    { key: 'clientIp', rate: '7/s', burst: 9 },
    { key: 'route', rate: '2000/h' },
    { key: 'header:X-Tenant', rate: '100/m', mode: 'shadow', store: 'shared' },
  ];
  const stores = { shared: { redis: 'redis://127.0.0.1:6379' } };
  const { rows } = rowsOf(forwardTo(['127.0.0.1:1'], { route: { rateLimits }, stores }));
  assert.deepEqual(
    rows.filter(({ group }) => group === 'rates').map(({ key, text, name }) => [key, text, name]),
    [
      ['routes.all.rateLimits[0]', '7/s for each client address, burst 9', 'rate all/0 per 1000 ms'],
      ['routes.all.rateLimits[1]', '2000/h for the whole route, burst 1', 'rate all/1 per 3600000 ms'],
      [
        'routes.all.rateLimits[2]',
        '100/m for each value of the header x-tenant, burst 1, counted in stores.shared, mode shadow: only counts, refuses nothing',
        'rate all/2 per 60000 ms in shared',
      ],
    ],
  );
});

test('without trusted proxies, a route or a circuit breaker nothing is said of them', () => {
  const { plan, origins } = load(forwardTo(['127.0.0.1:1']));
  const listener = plan.listeners['main'];
  assert(listener !== undefined);
  const keys = describeLimits(plan, null, listener, origins).map(({ key }) => key);
  assert(keys.includes('listeners.main.timeouts.head'));
  assert.deepEqual(
    keys.filter(key => /^routes|^clusters|trustedHops|proxyHeader/.test(key)),
    [],
  );
});

test('units are those of the file, and a plain number has none', () => {
  assert.deepEqual(
    [
      unitText('headMs', 10_000),
      unitText('pool.ageMsMax', 3_600_000),
      unitText('head.headBytesMax', 32_768),
      unitText('bufferedBytesMax', 268_435_456),
      unitText('uploadBytesPerSecondMin', 240),
      unitText('heapRatio', 0.9),
      unitText('requestMs', null),
    ],
    ['10s', '1h', '32KiB', '256MiB', '240B/s', '0.9', 'off'],
  );
});
