import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { lineToWrite } from '../../../src/config/schema/shape_lines.ts';
import { type Parts, problemsOf } from '../config_text.ts';

const route = (text: string): Parts => ({ routes: `[{ name: all, ${text} }]` });
const forward = (text: string): Parts => route(`forward: app, ${text}`);
const listener = (text: string): Parts => ({ listeners: `{ main: { address: 127.0.0.1:80, ${text} } }` });
const cluster = (text: string): Parts => ({ clusters: `{ app: { endpoints: [a:1], ${text} } }` });

test('a value of the wrong shape gets the line to write, in one message', () => {
  const cases: [Parts, string][] = [
    [
      forward('match: { path: /api }'),
      'write path: { prefix: /api } for it and everything below, or path: { exact: /api } for it alone',
    ],
    [forward('match: { path: /api/* }'), 'write path: { prefix: /api }'],
    [forward('match: { path: "/u/{id}" }'), 'write path: { template: "/u/{id}" }'],
    [forward('match: a.com'), 'write match: { hosts: a.com }'],
    [
      forward('match: "Host(`a.com`) && PathPrefix(`/api`)"'),
      'write match: { hosts: [a.com], path: { prefix: /api } }',
    ],
    [forward('rateLimits: 10r/s'), 'write rateLimits: [{ key: clientIp, rate: 10/s }]'],
    [route('redirect: "https://$host$request_uri"'), 'write redirect: { to: "https://{host}{path}{query}" }'],
    [cluster('loadBalancing: least_conn'), 'write loadBalancing: { policy: leastRequests }'],
    [cluster('loadBalancing: roundrobin'), 'write loadBalancing: { policy: roundRobin }'],
    [forward('timeouts: 30s'), 'write timeouts: { request: 30s }'],
    [forward('retries: 3'), 'write retries: { attempts: 3 }'],
    [forward('rateLimits: 100/s'), 'write rateLimits: [{ key: clientIp, rate: 100/s }]'],
    [forward('rateLimits: { rate: 100/s }'), 'write a list: rateLimits: [{ key: clientIp, rate: 100/s }]'],
    [forward('basicAuth: users.htpasswd'), 'write basicAuth: { file: users.htpasswd }'],
    [forward('access: [10.0.0.0/8]'), 'write access: { allow: [10.0.0.0/8] }'],
    [
      forward('rewrite: "^/a/(.*)$ /b/$1 break"'),
      'write rewrite: { regex: { pattern: "^/a/(.*)$", with: "/b/$1" } }',
    ],
    [forward('rewrite: /b'), 'write rewrite: { replacePath: /b }'],
    [route('redirect: "https://{host}/"'), 'write redirect: { to: "https://{host}/" }'],
    [route('respond: 200'), 'write respond: { status: 200 }'],
    [route('respond: hello'), 'write respond: { status: 200, body: hello }'],
    [
      route('forward: [a, b]'),
      'write forward: { split: [{ cluster: a, weight: 1 }, { cluster: b, weight: 1 }] }',
    ],
    [{ routes: '{ api: { forward: app } }' }, 'write a list: routes: [{ name: api, ... }]'],
    [{ listeners: '{ main: 8080 }' }, 'write { address: ":8080" }'],
    [{ listeners: '[]' }, 'write listeners: { NAME: { address: ":80" } }'],
    [listener('tls: true'), 'write tls: { certFile: FILE, keyFile: FILE }'],
    [listener('tls: a.crt'), 'write tls: { certFile: a.crt, keyFile: FILE }'],
    [{ clusters: '{ app: "http://h:80" }' }, 'write { endpoints: h:80 }'],
    [{ clusters: '{ app: [a:1, b:1] }' }, 'write { endpoints: [a:1, b:1] }'],
    [{ clusters: '{ app: { endpoints: { address: a:1 } } }' }, 'write endpoints: [{ address: a:1 }]'],
    [cluster('tls: true'), 'write tls: {}'],
    [cluster('health: /up'), 'write health: { active: { path: /up } }'],
    [cluster('health: { active: /up }'), 'write active: { path: /up }'],
    [cluster('loadBalancing: roundRobin'), 'write loadBalancing: { policy: roundRobin }'],
    [cluster('pool: 10'), 'write pool: { connections: 10 }'],
    [{ top: 'admin: ":9901"' }, 'write admin: { address: 127.0.0.1:9901 }'],
    [{ top: 'logging: debug' }, 'write logging: { level: debug }'],
    [{ top: 'process: { drain: 30s }' }, 'write drain: { timeout: 30s }'],
  ];
  for (const [parts, hint] of cases) {
    const problems = problemsOf(parts);
    assert.equal(problems.length, 1, problems.map(formatMessage).join('\n'));
    assert.equal(problems[0]?.hint, hint);
  }
});

test('nothing is guessed where nobody can know', () => {
  assert.equal(lineToWrite(['routes', 0, 'timeouts'], 'long'), undefined);
  assert.equal(lineToWrite(['logging'], 'loud'), undefined);
  assert.equal(lineToWrite(['process'], 5), undefined);
});
