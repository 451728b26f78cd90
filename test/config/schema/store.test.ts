import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeSchema } from '../../../src/config/schema/store.ts';

const first = (store: Readonly<Record<string, unknown>>) =>
  storeSchema.safeParse(store).error?.issues[0]?.message ?? 'taken';

test('a store is a Redis URL, with a policy for when it cannot be asked', () => {
  assert.equal(
    first({ redis: 'redis://127.0.0.1:6379', onError: 'deny', timeout: '5ms', inFlight: 9, keyPrefix: 'a:' }),
    'taken',
  );
  assert.match(first({ redis: 'memcached://127.0.0.1' }), /redis:\/\/HOST:PORT/);
  assert.match(first({ redis: 'redis://a', onError: 'ignore' }), /expected allow or deny/);
  assert.match(first({ redis: 'redis://a', timeout: '11s' }), /too large/);
  assert.match(first({ redis: 'redis://a', timeout: 'off' }), /cannot be switched off/);
  for (const keyPrefix of ['', 'a b', 'ü', 'x'.repeat(65)])
    assert.match(first({ redis: 'redis://a', keyPrefix }), /printable/);
});
