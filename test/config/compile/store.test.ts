import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHOICES, NUMBERS } from '../../../src/config/schema/defaults.ts';
import { maskSecrets } from '../../../src/config/shown_plan.ts';
import { caFile } from '../../support/certificates.ts';
import { forwardTo, load } from '../../support/plan_builder.ts';

function compiled(store: Readonly<Record<string, unknown>>) {
  const rateLimits = [{ key: 'route', rate: '1/s', store: 'shared' }];
  return load(forwardTo(['127.0.0.1:1'], { stores: { shared: store }, route: { rateLimits } }));
}

test('a store has its address from the URL and everything else from its defaults', () => {
  const { plan, origins } = compiled({ redis: 'redis://edge:secret@store.example/2' });
  assert.deepEqual(plan.stores, {
    shared: {
      name: 'shared',
      host: 'store.example',
      port: 6379,
      username: 'edge',
      password: 'secret',
      database: 2,
      tls: null,
      connectTimeoutMs: NUMBERS['stores.connectTimeout'].value,
      onError: CHOICES['stores.onError'].value,
      timeoutMs: NUMBERS['stores.timeout'].value,
      inFlightMax: NUMBERS['stores.inFlight'].value,
      keyPrefix: 'fairlead:',
    },
  });
  assert.match(origins.get('stores.shared.host') ?? '', /^test\.yaml:\d+:\d+$/);
  assert.equal(origins.get('stores.shared.timeoutMs'), 'default');
  assert.equal(maskSecrets(plan).stores['shared']?.password, '***');
  assert.equal(plan.routes[0]?.rateLimits[0]?.store, 'shared');
});

test('rediss is TLS, verified unless the file says otherwise', () => {
  const tls = (store: Readonly<Record<string, unknown>>) => compiled(store).plan.stores['shared']?.tls;
  const verified = { verify: true, serverName: null, caPem: null, certPem: null, keyPem: null };
  assert.deepEqual(tls({ redis: 'rediss://store.example' }), verified);
  const own = tls({ redis: 'rediss://store.example', tls: { caFile, serverName: 'redis.internal' } });
  assert.equal(own?.serverName, 'redis.internal');
  assert.match(own?.caPem ?? '', /BEGIN CERTIFICATE/);
});
