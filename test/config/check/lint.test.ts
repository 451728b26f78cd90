import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../support/proxy_under_test.ts';
import { assertOnly, loadedFrom, messagesOf, type Parts, problemsOf } from '../config_text.ts';

function assertWarns(parts: Parts, pattern: RegExp): void {
  const { warnings } = loadedFrom(parts);
  assert.equal(warnings.length, 1, warnings.map(({ message }) => message).join('\n'));
  assert.match(warnings[0]?.message ?? '', pattern);
  assert.equal(warnings[0]?.severity, 'warning');
}

function assertQuiet(parts: Parts): void {
  assert.deepEqual(loadedFrom(parts).warnings, []);
}

const two = (rest: string): Parts => ({ clusters: `{ app: { endpoints: [a:1, b:1], ${rest} } }` });

test('an unused cluster is a warning, also if it is only a target of weight 0', () => {
  assertWarns(
    { clusters: '{ app: { endpoints: [a:1] }, spare: { endpoints: [b:1] } }' },
    /no route uses cluster spare/,
  );
  assertQuiet({});
});

test('several endpoints without an active check are a warning, unless it is switched off', () => {
  assertWarns(two('protocol: http1'), /no active health check/);
  assertQuiet(two('health: { active: off }'));
  assertQuiet(two('health: { active: { tcp: true } }'));
});

test('a backend whose certificate is not verified is a warning', () => {
  assertWarns(
    { clusters: '{ app: { endpoints: [a:1], tls: { verify: false } } }' },
    /accepts any certificate/,
  );
});

test('a shutdown that cuts requests before their timeout is a warning with both positions', () => {
  const route = (ms: string): string =>
    `[{ name: all, forward: { cluster: app }, timeouts: { request: ${ms} } }]`;
  assertWarns(
    { top: 'process: { drain: { timeout: 10s } }', routes: route('11s') },
    /requests may take 11s, but a shutdown cuts them off after 10s/,
  );
  assertQuiet({ top: 'process: { drain: { timeout: 10s } }', routes: route('10s') });
  assertQuiet({ top: 'process: { drain: { timeout: 10s } }' });
});

test('a prefix that is never there is never stripped', () => {
  const route = (path: string, strip: string): Parts => ({
    routes: `[{ name: all, match: { path: { ${path} } }, forward: { cluster: app }, rewrite: { stripPrefix: ${strip} } }]`,
  });
  assertWarns(route('prefix: /api', '/v1'), /\/api does not begin with \/v1/);
  assertWarns(route('exact: /apis', '/api'), /never has an effect/);
  for (const [path, strip] of [
    ['prefix: /api', '/api'],
    ['prefix: /api/v1', '/api/'],
    ['prefix: /', '/api'],
    ['prefix: /%61pi', '/api'],
    ['regex: "/a.*"', '/b'],
  ] as const) {
    assertQuiet(route(path, strip));
  }
});

test('a proxy without routes is a warning', () => {
  assertWarns({ routes: '[]', clusters: '{}' }, /every request gets a 404/);
});

test('a route that can never match is a warning', () => {
  assertWarns(
    {
      routes:
        '[{ name: a, forward: { cluster: app } }, { name: b, match: { path: { regex: "api/.*" } }, forward: { cluster: app } }]',
    },
    /route b can never match/,
  );
});

test('warnings never make a file invalid, and say nothing next to a wrong reference', () => {
  assert.ok(
    problemsOf({ routes: '[{ name: all, forward: { cluster: ap } }]' }).every(
      ({ severity }) => severity === 'error',
    ),
  );
  assert.equal(messagesOf({ routes: '[{ name: all, forward: { cluster: ap } }]' }).length, 1);
});

test('passwords that would cross a network in clear are a warning', () => {
  const users = join(ROOT, 'test/support/users/users.htpasswd');
  const routes = `[{ name: all, forward: { cluster: app }, basicAuth: { file: ${users} } }]`;
  const on = (listener: string): Parts => ({ routes, listeners: `{ main: { ${listener} } }` });
  assertWarns(
    on('address: 0.0.0.0:8080'),
    /passwords for route all cross the network in clear on listener main/,
  );
  assertWarns(on('address: "[::]:8080"'), /in clear/);
  assertQuiet(on('address: 127.0.0.1:8080'));
  assertQuiet(on('address: "[::1]:8080"'));
  assertQuiet(on('address: "unix:run.sock"'));
  assertQuiet(on('address: 0.0.0.0:8080, trustedProxies: [10.0.0.0/8]'));
  assertQuiet(on('address: 0.0.0.0:8080, proxyProtocol: { from: [10.0.0.0/8] }'));
});

test('settings of the log that contradict each other are a warning', () => {
  const logging = (text: string): Parts => ({ top: `logging: { ${text} }` });
  assertWarns(
    logging('format: pretty, access: { format: ecs }'),
    /logging\.access\.format: ecs has no effect, because logging\.format is pretty/,
  );
  assertWarns(
    logging('time: iso, access: { format: combined }'),
    /logging\.time has no effect on the format combined/,
  );
  assertQuiet(logging('format: json, access: { format: ecs }'));
  assertQuiet(logging('format: pretty, time: iso'));
});

test('connectionsPerIp that counts no client is found', () => {
  const listeners =
    '{ main: { address: 127.0.0.1:80, trustedProxies: 10.0.0.0/8, limits: { connectionsPerIp: 10 } } }';
  assertOnly({ listeners }, /^connectionsPerIp of listener main does not count trustedProxies/);
  const routes = '[{ name: a, forward: app, rateLimits: [{ key: clientIp, rate: 10/s }] }]';
  assert.deepEqual(messagesOf({ listeners, routes }), []);
  assert.deepEqual(messagesOf({ listeners: listeners.replace(/trustedProxies: [^ ]* /, '') }), []);
});
