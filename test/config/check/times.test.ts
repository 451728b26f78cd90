import { test } from 'node:test';
import { assertOnly, loadedFrom } from '../config_text.ts';

const route = (rest: string): { routes: string } => ({
  routes: `[{ name: all, forward: { cluster: app }, ${rest} }]`,
});
const listener = (ms: string): string => `{ main: { address: 127.0.0.1:80, timeouts: { request: ${ms} } } }`;

test('an inner timeout that can never fire is refused', () => {
  assertOnly(
    route('timeouts: { responseHead: 90s }'),
    /responseHead of route all \(90s\) is longer than its request timeout \(1m, the default\)/,
  );
  assertOnly(
    route('timeouts: { request: 2s, responseHead: 3s }'),
    /\(3s\) is longer than its request timeout \(2s\)/,
  );
  assertOnly(route('retries: { perTry: 61s }'), /perTry of route all/);
  assertOnly(
    { ...route('timeouts: { responseHead: 2s }'), listeners: listener('1s') },
    /longer than its request timeout \(1s\)/,
  );
});

test('equal is not longer, and off is no mistake', () => {
  loadedFrom(route('timeouts: { request: 2s, responseHead: 2s }, retries: { perTry: 2s }'));
  loadedFrom(route('timeouts: { request: off, responseHead: 90s }'));
  loadedFrom(route('timeouts: { request: 2s, responseHead: off }'));
  loadedFrom({ ...route('timeouts: { responseHead: 5m }'), listeners: listener('off') });
});

test('a default never makes a file invalid', () => {
  loadedFrom(route('timeouts: { request: 1s }'));
  loadedFrom({ listeners: listener('500ms') });
  loadedFrom({ clusters: '{ app: { endpoints: [a:1], health: { active: { tcp: true, interval: 1s } } } }' });
});

test('of several listeners the one with the longest timeout counts', () => {
  const listeners =
    '{ a: { address: 127.0.0.1:80, timeouts: { request: 1s } }, b: { address: 127.0.0.1:81, timeouts: { request: 5s } } }';
  loadedFrom({ ...route('timeouts: { responseHead: 5s }'), listeners });
  assertOnly({ ...route('timeouts: { responseHead: 6s }'), listeners }, /\(5s\)/);
  assertOnly({ ...route('listeners: [a], timeouts: { responseHead: 2s }'), listeners }, /\(1s\)/);
});

test('a listener without a request timeout has the longest one', () => {
  for (const [a, b] of [
    ['off', '1s'],
    ['1s', 'off'],
  ]) {
    const listeners = `{ a: { address: 127.0.0.1:80, timeouts: { request: ${a} } }, b: { address: 127.0.0.1:81, timeouts: { request: ${b} } } }`;
    loadedFrom({ ...route('timeouts: { responseHead: 5s }'), listeners });
  }
});

test('waiting for a connection is part of the request', () => {
  const pool = (rest: string): string => `{ app: { endpoints: [a:1], pool: { ${rest} } } }`;
  assertOnly(
    { clusters: pool('connectTimeout: 2m') },
    /connectTimeout of cluster app \(2m\) is longer than the request timeout of every route/,
  );
  assertOnly({ clusters: pool('queueTimeout: 2m') }, /queueTimeout/);
  loadedFrom({ clusters: pool('connectTimeout: 1m') });
  loadedFrom({ ...route('timeouts: { request: off }'), clusters: pool('connectTimeout: 5m') });
});

test('a pause and a probe end before the next one begins', () => {
  assertOnly(
    route('retries: { backoff: { base: 1s } }'),
    /base of the retry backoff \(1s\) is longer than its max \(250ms, the default\)/,
  );
  assertOnly(route('retries: { backoff: { max: 10ms } }'), /base of the retry backoff \(25ms, the default\)/);
  assertOnly(
    {
      clusters: '{ app: { endpoints: [a:1], health: { active: { tcp: true, interval: 1s, timeout: 2s } } } }',
    },
    /timeout of the active check \(2s\) is longer than its interval \(1s\)/,
  );
});
