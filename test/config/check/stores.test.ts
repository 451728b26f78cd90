import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfigText } from '../../../src/config/loader.ts';
import { configText, type ForwardOptions, forwardTo } from '../../support/plan_builder.ts';

const REDIS = { redis: 'redis://127.0.0.1' };
const limit = (store?: string) => ({ key: 'route', rate: '1/s', ...(store === undefined ? {} : { store }) });

function problems(options: ForwardOptions): string[] {
  const result = loadConfigText(configText(forwardTo(['127.0.0.1:1'], options)), 'test.yaml', {});
  if (result.kind === 'unreadable') return [result.message];
  return (result.kind === 'invalid' ? result.problems : result.warnings).map(
    ({ message, hint }) => `${message} ${hint ?? ''}`,
  );
}

test('a limit names a store that exists, or local', () => {
  const stores = { shared: REDIS };
  assert.deepEqual(
    problems({ stores, route: { rateLimits: [limit('shared'), limit('local'), limit()] } }),
    [],
  );
  assert.match(
    problems({ stores, route: { rateLimits: [limit('shred')] } })[0] ?? '',
    /names store "shred", which does not exist.*shared/,
  );
  assert.match(problems({ route: { rateLimits: [limit('shared')] } })[0] ?? '', /does not exist/);
});

test('the limits of one route are in one store, because two could not charge all or none', () => {
  const stores = { one: REDIS, two: REDIS };
  const rateLimits = [limit('one'), limit(), limit('two')];
  assert.match(
    problems({ stores, route: { rateLimits } })[0] ?? '',
    /in the stores one and two; use one of them, or local/,
  );
});

test('TLS settings without TLS, and a store by the name of local, are refused', () => {
  const route = { rateLimits: [limit('shared')] };
  const stores = { shared: { ...REDIS, tls: { verify: false } } };
  assert.match(problems({ stores, route })[0] ?? '', /tls has no effect; write rediss:/);
  assert.match(problems({ stores: { local: REDIS } })[0] ?? '', /the name local/);
});

test('a wrong store is reported once, and not as a missing one too', () => {
  const stores = { shared: { redis: 'redis://secret-password@host' } };
  const found = problems({ stores, route: { rateLimits: [limit('shared')] } });
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] ?? '', /a user needs a password/);
  assert.doesNotMatch(found[0] ?? '', /secret/);
});

test('an unused store, and one whose certificate is not verified, is a warning', () => {
  assert.match(problems({ stores: { shared: REDIS } })[0] ?? '', /no rate limit uses store shared/);
  const stores = { shared: { redis: 'rediss://127.0.0.1', tls: { verify: false } } };
  assert.match(
    problems({ stores, route: { rateLimits: [limit('shared')] } })[0] ?? '',
    /accepts any certificate/,
  );
});
