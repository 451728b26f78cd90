// What `defaults` and the maintenance of the top level give to items: per setting, one level, and seen in the plan.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOnly, loadedFrom, messagesOf, problemsOf } from '../config_text.ts';

const ROUTES = '[{ name: all, forward: { cluster: app } }]';

function planWith(top: string, parts: { routes?: string; clusters?: string; listeners?: string } = {}) {
  return loadedFrom({ top, ...parts }).plan;
}

test('what an item does not say, defaults says; what it says wins; the rest has its default', () => {
  const { plan, origins } = loadedFrom({
    top: 'defaults: { routes: { timeouts: { responseHead: 7s, responseIdle: 8s } } }',
    routes: '[{ name: all, forward: { cluster: app }, timeouts: { responseIdle: 9s } }]',
  });
  const [route] = plan.routes;
  assert.deepEqual(
    [route?.responseHeadMs, route?.responseIdleMs, route?.tunnelIdleMs],
    [7_000, 9_000, 600_000],
  );
  assert.equal(origins.get('routes.all.responseHeadMs'), 'test.yaml:2:49 (defaults)');
  assert.equal(origins.get('routes.all.responseIdleMs'), 'test.yaml:4:76');
  assert.equal(origins.get('routes.all.tunnelIdleMs'), 'default');
});

test('moving a value into defaults is no change', () => {
  const before = planWith('', {
    routes:
      '[{ name: all, forward: { cluster: app }, retries: { attempts: 1 }, access: { deny: [10.0.0.0/8] } }, { name: to, match: { path: { exact: /a } }, redirect: { to: /b } }]',
  });
  const after = planWith(
    'defaults: { routes: { retries: { attempts: 1 }, access: { deny: [10.0.0.0/8] } } }',
    {
      routes:
        '[{ name: all, forward: { cluster: app } }, { name: to, match: { path: { exact: /a } }, redirect: { to: /b }, access: { deny: [] } }]',
    },
  );
  assert.equal(after.digest, before.digest);
});

test('lists are replaced whole, and an empty one leaves nothing', () => {
  const top =
    'defaults: { routes: { rateLimits: [{ key: route, rate: 5/s }], access: { deny: [10.0.0.0/8], allow: [11.0.0.0/8] } } }';
  const [all] = planWith(top, { routes: ROUTES }).routes;
  assert.deepEqual(
    all?.rateLimits.map(({ name, count }) => [name, count]),
    [['all/0', 5]],
  );
  const [own] = planWith(top, {
    routes: '[{ name: all, forward: { cluster: app }, rateLimits: [], access: { deny: [12.0.0.0/8] } }]',
  }).routes;
  assert.deepEqual([own?.rateLimits, own?.access], [[], { deny: ['12.0.0.0/8'], allow: ['11.0.0.0/8'] }]);
});

test('off replaces a block, and a block replaces off', () => {
  const clusters =
    '{ app: { endpoints: [a:1], circuitBreaker: off, health: { passive: { ejectFor: 9s } } }, b: { endpoints: [b:1] } }';
  const plan = planWith(
    'defaults: { clusters: { circuitBreaker: { openFor: 9s }, health: { passive: off } } }',
    {
      clusters,
    },
  );
  assert.deepEqual(
    [plan.clusters['app']?.circuitBreaker, plan.clusters['b']?.circuitBreaker?.openMs],
    [null, 9_000],
  );
  assert.deepEqual(
    [plan.clusters['app']?.health.passive?.ejectMs, plan.clusters['b']?.health.passive],
    [9_000, null],
  );
});

test('header edits are merged by field, in any case', () => {
  const { plan, origins } = loadedFrom({
    top: 'defaults: { routes: { headers: { response: { set: { X-A: d, X-B: d, X-C: d }, remove: [Server, X-D] } } } }',
    routes:
      '[{ name: all, forward: { cluster: app }, headers: { response: { set: { x-a: own }, add: { x-d: own }, remove: [x-b] } } }]',
  });
  assert.deepEqual(plan.routes[0]?.headers.response, {
    set: [
      ['x-a', 'own'],
      ['X-C', 'd'],
    ],
    add: [['x-d', 'own']],
    remove: ['x-b', 'server'],
  });
  assert.equal(origins.get('routes.all.headers.response.set.0'), 'test.yaml:4:78');
  assert.equal(origins.get('routes.all.headers.response.set.1'), 'test.yaml:2:74 (defaults)');
  assert.equal(origins.get('routes.all.headers.response.remove.1'), 'test.yaml:2:88 (defaults)');
});

test('one mistake in defaults is one problem, at its line, however many items have it', () => {
  const routes = `[${[...Array(30).keys()].map(at => `{ name: r${at}, match: { path: { exact: /${at} } }, forward: { cluster: app } }`).join(', ')}]`;
  for (const [top, message] of [
    [
      'defaults: { routes: { timeouts: { request: 5 } } }',
      /^defaults\.routes\.timeouts\.request: a duration needs a unit/,
    ],
    [
      'defaults: { routes: { timeouts: { reqest: 5s } } }',
      /^unknown key "reqest" in defaults\.routes\.timeouts$/,
    ],
    [
      'defaults: { routes: { basicAuth: { file: nowhere } } }',
      /^defaults\.routes\.basicAuth\.file: cannot read /,
    ],
    [`defaults: { routes: { timeouts: { request: "\${NO_VALUE}" } } }`, /NO_VALUE is not set/],
    ['defaults: { routes: { cors: {} } }', /^"cors" is not supported yet/],
    ['defaults: { routes: { listeners: [mian] } }', /names listener "mian", which does not exist/],
  ] as const) {
    const problems = problemsOf({ top, routes });
    assert.equal(problems.length, 1, problems.map(problem => problem.message).join('\n'));
    assert.match(problems[0]?.message ?? '', message);
    assert.equal(problems[0]?.line, 2);
  }
  const [problem] = problemsOf({ top: 'defaults: { routes: { listeners: [mian] } }', routes });
  assert.equal(problem?.hint, 'did you mean "main"?; inherited by routes.r0 and 29 others');
  assert.ok(!('inheritedBy' in (problem ?? {})));
});

test('a warning about a default names the first item that has it', () => {
  const [warning, ...others] = problemsOf({ top: 'defaults: { clusters: { tls: { verify: false } } }' });
  assert.deepEqual(others, []);
  assert.match(warning?.message ?? '', /^cluster app accepts any certificate/);
  assert.deepEqual([warning?.line, warning?.hint], [2, 'inherited by clusters.app']);
});

test('defaults that nothing uses are no mistake, and a mistake in them is found all the same', () => {
  assert.deepEqual(messagesOf({ top: 'defaults: {}' }), []);
  const none = { clusters: '{}', routes: '[{ name: all, respond: { status: 200 } }]' };
  assert.deepEqual(messagesOf({ top: 'defaults: { clusters: { pool: { queue: 5 } } }', ...none }), []);
  assertOnly(
    { top: 'defaults: { clusters: { pool: { queue: many } } }', ...none },
    /^defaults\.clusters\.pool\.queue: expected a whole number/,
  );
});

test('a default is no mistake beside a value of the item itself', () => {
  const routes = '[{ name: all, forward: { cluster: app }, timeouts: { request: 1s } }]';
  assert.deepEqual(
    messagesOf({
      top: 'defaults: { routes: { timeouts: { responseHead: 9s }, retries: { perTry: 5s } } }',
      routes,
    }),
    [],
  );
  assertOnly(
    { top: 'defaults: { routes: { timeouts: { request: 1s, responseHead: 9s } } }' },
    /responseHead of route all \(9s\) is longer than its request timeout \(1s\)/,
  );
});

test('defaults cannot make a file larger than aliases can', () => {
  const deny = [...Array(1_500).keys()].map(at => `10.${at >> 8}.${at & 255}.0/24`).join(', ');
  const routes = `[${[...Array(700).keys()].map(at => `{ name: r${at}, match: { path: { exact: /${at} } }, forward: { cluster: app } }`).join(', ')}]`;
  assertOnly(
    { top: `defaults: { routes: { access: { deny: [${deny}] } } }`, routes },
    /^defaults\.routes would expand the file to more than 1000000 values$/,
  );
});

test('what is no mapping is refused where it stands, and nothing is inherited from it', () => {
  for (const top of ['defaults: 5', 'defaults: { routes: [] }', 'defaults:'])
    assertOnly({ top }, /^defaults(?:\.routes)?: .*expected a mapping/);
  const [message] = messagesOf({
    top: 'defaults: { routes: { timeouts: { request: 5s } } }',
    routes: '{ a: 1 }',
  });
  assert.match(message ?? '', /^routes: expected a list/);
});

test('a route that forwards has the maintenance of the top level, one that does not has only its own', () => {
  const routes =
    '[{ name: all, forward: { cluster: app } }, { name: to, match: { path: { exact: /a } }, redirect: { to: /b } }, { name: on, match: { path: { exact: /c } }, redirect: { to: /b }, maintenance: { retryAfter: 2s } }]';
  const { plan, origins } = loadedFrom({ top: 'maintenance: { status: 599, allow: [10.0.0.0/8] }', routes });
  const of = (name: string) => plan.routes.find(route => route.name === name)?.maintenance;
  assert.deepEqual(of('all'), { status: 599, retryAfterMs: 300_000, page: null, allow: ['10.0.0.0/8'] });
  assert.equal(of('to'), null);
  assert.deepEqual(of('on'), { status: 599, retryAfterMs: 2_000, page: null, allow: ['10.0.0.0/8'] });
  assert.equal(origins.get('routes.all.maintenance.status'), 'test.yaml:2:24 (maintenance)');
});

test('a prepared maintenance is on for the route that says so, off for the others', () => {
  const routes =
    '[{ name: all, forward: { cluster: app } }, { name: on, match: { path: { exact: /a } }, forward: { cluster: app }, maintenance: on }, { name: off, match: { path: { exact: /b } }, forward: { cluster: app }, maintenance: off }]';
  const statuses = (top: string) =>
    Object.fromEntries(
      planWith(top, { routes }).routes.map(route => [route.name, route.maintenance?.status ?? 0]),
    );
  assert.deepEqual(statuses('maintenance: { enabled: false, status: 598 }'), { all: 0, on: 598, off: 0 });
  assert.deepEqual(statuses('maintenance: { status: 598 }'), { all: 598, on: 598, off: 0 });
  assert.deepEqual(statuses('maintenance: on'), { all: 503, on: 503, off: 0 });
  assert.deepEqual(statuses('maintenance: off'), { all: 0, on: 503, off: 0 });
});
