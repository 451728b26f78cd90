import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitQuestion } from '../../src/security/limit_script.ts';
import type { LimitStore } from '../../src/security/limit_store.ts';
import { StoreLimits } from '../../src/security/limits_in_store.ts';
import type { RateLimitSettings } from '../../src/security/rate_limit.ts';

const LIMIT: RateLimitSettings = {
  name: 'api/0',
  key: { kind: 'clientIp' },
  count: 10,
  periodMs: 1_000,
  burst: 3,
  mode: 'enforce',
  store: 'shared',
  headers: 'off',
};
const REQUEST = { clientIp: '2001:db8::1', authority: 'A.example', headers: ['X-Key', 'secret'] };

function questions(...limits: readonly Partial<RateLimitSettings>[]): readonly LimitQuestion[] {
  let asked: readonly LimitQuestion[] = [];
  const store = {
    ask(given: readonly LimitQuestion[]) {
      asked = given;
      return () => {};
    },
  } as unknown as LimitStore;
  new StoreLimits(
    'api',
    limits.map(limit => ({ ...LIMIT, ...limit })),
    store,
  ).ask(REQUEST, () => {});
  return asked;
}
const keys = (...limits: readonly Partial<RateLimitSettings>[]) => questions(...limits).map(({ key }) => key);

test('all limits of the route are one question, by client network, route and header', () => {
  assert.deepEqual(questions({}, { key: { kind: 'route' }, mode: 'shadow', count: 3 }), [
    { key: 'api/clientIp:2001:db8:0:0::/64', intervalMs: 100, burst: 3, enforce: true },
    { key: 'api/route:', intervalMs: 1_000 / 3, burst: 3, enforce: false },
  ]);
});

test('the value of a header is not sent to the store', () => {
  const [key = ''] = keys({ key: { kind: 'header', name: 'x-key' } });
  assert.match(key, /^api\/header\.x-key:[\w-]{43}$/);
  assert.notEqual(
    key,
    keys({ key: { kind: 'header', name: 'x-other' } })[0]?.replace('x-other', 'x-key'),
    'another value',
  );
});

test('a limit keeps its key if its rate changes, or if a limit with another kind of key is inserted before it', () => {
  const [own] = keys({});
  assert.deepEqual(keys({ key: { kind: 'route' } }, { count: 99, burst: 7 })[1], own);
  const two = keys({}, {});
  assert.equal(two[0], own);
  assert.notEqual(two[1], own, 'two of a kind count apart');
});
