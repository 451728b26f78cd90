import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeSchema } from '../../../src/config/schema/route.ts';

const accepts = (rest: object): boolean => routeSchema.safeParse({ name: 'a', ...rest }).success;

test('each way to match a path is accepted, one at a time', () => {
  for (const path of [{ exact: '/a' }, { prefix: '/' }, { template: '/a/{id}/**' }, { regex: '/a/[0-9]+' }])
    assert.ok(accepts({ match: { path } }), JSON.stringify(path));
  for (const path of [
    {},
    { exact: '/a', prefix: '/a' },
    { exact: 'a' },
    { prefix: '/a/../b' },
    { template: '/{}' },
    { regex: '(' },
    { glob: '/*' },
  ])
    assert.ok(!accepts({ match: { path } }), JSON.stringify(path));
});

test('hosts are names, wildcards at the left, and literal addresses', () => {
  for (const host of [
    'a.example',
    '*.a.example',
    'localhost',
    '10.0.0.1',
    '[::1]',
    'a_b.example',
    'xn--bcher-kva.example',
  ])
    assert.ok(accepts({ match: { hosts: [host] } }), host);
  for (const host of [
    '',
    '*',
    '*.',
    'a.*',
    '*a.example',
    'a.example:80',
    '[::1]:80',
    '::1',
    'a..b',
    'a.example.',
    'https://a',
    'bücher.example',
    'a b',
  ])
    assert.ok(!accepts({ match: { hosts: [host] } }), host);
});

test('methods are those that Node can parse, in upper case, but not CONNECT', () => {
  for (const method of ['GET', 'PROPFIND', 'QUERY'])
    assert.ok(accepts({ match: { methods: [method] } }), method);
  for (const method of ['get', 'CONNECT', 'FOO', ''])
    assert.ok(!accepts({ match: { methods: [method] } }), method);
});

test('an empty list is refused, because it could mean all or none', () => {
  assert.ok(
    !accepts({ match: { hosts: [] } }) && !accepts({ match: { methods: [] } }) && !accepts({ listeners: [] }),
  );
});

test('a field name is a token, and those of the connection cannot be edited', () => {
  for (const name of ['x-a', 'Server', '!#$%&*+.^_`|~-'])
    assert.ok(accepts({ headers: { request: { set: { [name]: 'v' }, remove: [name] } } }), name);
  const refused = [
    '',
    'a b',
    'a:',
    'ä',
    'Host',
    'connection',
    'Keep-Alive',
    'TE',
    'Transfer-Encoding',
    'upgrade',
    'Content-Length',
    'trailer',
    'proxy-connection',
  ];
  for (const name of refused) {
    assert.ok(!accepts({ headers: { request: { set: { [name]: 'v' } } } }), name);
    assert.ok(!accepts({ headers: { response: { remove: [name] } } }), name);
    assert.ok(!accepts({ respond: { status: 200, headers: { [name]: 'v' } } }), name);
  }
  assert.ok(
    accepts({ match: { headers: { host: 'a', connection: { present: true } } } }),
    'but they can be matched',
  );
});

test('a field value cannot break out of its line', () => {
  for (const value of ['', 'a b', 'tab\there', 'caf\u00e9'])
    assert.ok(accepts({ headers: { request: { add: { a: value } } } }), value);
  for (const value of ['a\r\nb', 'a\nb', 'a\0', '\u007f', ' a', 'a ', '\u20ac'])
    assert.ok(!accepts({ headers: { request: { add: { a: value } } } }), JSON.stringify(value));
});

test('statuses are those that make sense', () => {
  for (const status of [200, 404, 599, '503']) assert.ok(accepts({ respond: { status } }));
  for (const status of [100, 199, 600, 0, -200, 200.5, 'ok', null, [200]])
    assert.ok(!accepts({ respond: { status } }), String(status));
  assert.ok(accepts({ redirect: { to: '/a', status: '301' } }));
  for (const status of [300, 304, 306, 200])
    assert.ok(!accepts({ redirect: { to: '/a', status } }), String(status));
});

test('a redirect cannot be made to point elsewhere', () => {
  for (const to of ['/a', '{path}{query}', 'https://{host}{path}', 'https://a.example/b'])
    assert.ok(accepts({ redirect: { to } }), to);
  for (const to of ['//a', 'a', '', 'javascript:x', '/{x}', '/a b'])
    assert.ok(!accepts({ redirect: { to } }), to);
});

test('retries.on takes connect, reset, or a status of failure', () => {
  assert.deepEqual(
    routeSchema.parse({ name: 'a', retries: { on: ['connect', 'reset', 503, '502'] } }).retries?.on,
    ['connect', 'reset', '503', '502'],
  );
  for (const on of ['timeout', 200, '399', 600, null, '5xx'])
    assert.ok(!accepts({ retries: { on: [on] } }), String(on));
});

test('a rate limit says whom and how much', () => {
  for (const key of ['clientIp', 'route', 'header:x-a'])
    assert.ok(accepts({ rateLimits: [{ key, rate: '1/s' }] }), key);
  for (const key of ['ip', 'header:', 'header:a b', ''])
    assert.ok(!accepts({ rateLimits: [{ key, rate: '1/s' }] }), key);
  for (const rate of ['1', 5, null, '0/s', undefined])
    assert.ok(!accepts({ rateLimits: [{ key: 'route', rate }] }), String(rate));
  assert.ok(!accepts({ rateLimits: Array.from({ length: 11 }, () => ({ key: 'route', rate: '1/s' })) }));
});
