import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { load } from 'js-yaml';
import { schemaJson } from '../../../src/config/json_schema.ts';
import {
  ENDPOINT_ADDRESS_PATTERN,
  HOST_PATTERN,
  LIMIT_KEY_PATTERN,
  LISTEN_ADDRESS_PATTERN,
  NETWORK_PATTERN,
  orVariable,
  PATH_PATTERN,
  REDIRECT_PATTERN,
} from '../../../src/config/schema/patterns.ts';
import { loadedFrom, type Parts, resultOf, textOf } from '../config_text.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
// As an editor reads it: unknown keywords such as `default` beside others are allowed.
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schemaJson() as object);

function assertPattern(pattern: string, good: readonly string[], bad: readonly string[]): void {
  const regex = new RegExp(pattern, 'u');
  for (const text of good) assert.match(text, regex);
  for (const text of bad) assert.doesNotMatch(text, regex);
}

test('an editor refuses addresses of the wrong form', () => {
  const both = ['h:80', '10.0.0.1:8080', '[::1]:80', 'unix:/run/x.sock', `\${HOST}:80`, `h:\${PORT:-80}`];
  const neither = [
    'http://h:80',
    'h',
    '[::1]',
    'h:http',
    '*.x:80',
    '$H:80',
    'h:80/x',
    '10.0.0.1',
    '8080',
    '',
  ];
  assertPattern(LISTEN_ADDRESS_PATTERN, [...both, ':8080', 'fd:3'], neither);
  assertPattern(ENDPOINT_ADDRESS_PATTERN, both, [...neither, ':8080', 'fd:http']);
});

test('and hosts, paths, networks, redirects and keys of limits', () => {
  assertPattern(
    HOST_PATTERN,
    ['a.com', '*.a.com', '[::1]', 'a'],
    ['*', 'a:80', 'https://a', 'a.*', 'a/b', '.a'],
  );
  assertPattern(PATH_PATTERN, ['/', '/a/{id}', '/a/**'], ['a', '^/a', '/a?b', '/a b', '']);
  assertPattern(
    NETWORK_PATTERN,
    ['10.0.0.0/8', '::1', 'fc00::/7', '10.0.0.1', 'unix'],
    ['a', '10.0.0.0/', 'h/8'],
  );
  assertPattern(
    REDIRECT_PATTERN,
    ['https://{host}{path}', '/a', '{path}/', '/'],
    ['//a', 'a.com', 'https://$host', '{uri}'],
  );
  assertPattern(LIMIT_KEY_PATTERN, ['clientIp', 'header:X-A'], ['ip', 'header:', 'clientIp ']);
});

test('a variable passes for any form', () => {
  assertPattern(orVariable('^a$'), ['a', `\${A}`, `x\${A}y`], ['b', '$A', 'ab']);
});

test('every example, and every configuration that the tests load, is valid for an editor', () => {
  const files = globSync(`${ROOT}/{examples,test/config/golden}/*.yaml`);
  const plans = new Set(
    globSync(`${ROOT}/test/config/golden/*.plan.json`).map(file => basename(file, '.plan.json')),
  );
  const loaded = files.filter(file => file.includes('/examples/') || plans.has(basename(file, '.yaml')));
  assert.ok(loaded.length > 15);
  for (const file of loaded) {
    validate(load(readFileSync(file, 'utf8')));
    assert.deepEqual(validate.errors ?? [], [], file);
  }
});

const route = (text: string): Parts => ({ routes: `[{ name: all, forward: app, ${text} }]` });
const listener = (text: string): Parts => ({ listeners: `{ main: { ${text} } }` });
const cluster = (text: string): Parts => ({ clusters: `{ app: { endpoints: [a:1], ${text} } }` });

test('what the checker refuses in one value, an editor refuses too', () => {
  const bad: readonly Parts[] = [
    { clusters: '{ app: { endpoints: ["http://h:80"] } }' },
    { clusters: '{ app: { endpoints: h } }' },
    { clusters: '{ app: { endpoints: [3000] } }' },
    listener('address: 8080'),
    listener('address: localhost'),
    listener('address: ":80", timeouts: { head: 10 }'),
    listener('address: ":80", timeouts: { head: 10sec }'),
    listener('address: ":80", limits: { headBytes: 32k }'),
    listener('address: ":80", limits: { connections: 0 }'),
    listener('address: ":80", trustedProxies: everyone'),
    route('match: { path: /api }'),
    route('match: { path: { prefix: api } }'),
    route('match: { hosts: "a.com:80" }'),
    route('rateLimits: [{ key: ip, rate: 1/s }]'),
    route('rateLimits: [{ key: clientIp, rate: 1/day }]'),
    route('retries: { on: [404] }'),
    route('timeouts: { request: 0s0 }'),
    cluster('pool: { idle: 4 }'),
    cluster('loadBalancing: { policy: fastest }'),
    cluster('colour: red'),
    { routes: '[{ name: a b, respond: { status: 200 } }]' },
    { routes: '[{ name: a, redirect: { to: "https://$host" } }]' },
  ];
  for (const parts of bad) {
    assert.equal(resultOf(parts).kind, 'invalid', JSON.stringify(parts));
    assert.equal(validate(load(textOf(parts))), false, JSON.stringify(parts));
  }
});

test('short forms are valid for both', () => {
  for (const parts of [
    route('match: { hosts: a.com, methods: GET }, access: { allow: 10.0.0.0/8 }, retries: { on: 503 }'),
    { clusters: '{ app: { endpoints: "a:1" } }' },
    listener('address: ":8080", trustedProxies: 10.0.0.0/8'),
  ]) {
    loadedFrom(parts);
    assert.equal(validate(load(textOf(parts))), true, JSON.stringify(validate.errors));
  }
});
