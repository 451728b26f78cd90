/** Compiles one store. */
import { parseRedisUrl } from '../../net/redis_url.ts';
import type { LimitStoreSettings } from '../../security/limit_store.ts';
import { STORE_KEY_PREFIX } from '../schema/defaults.ts';
import type { StoreConfig } from '../schema/store.ts';
import type { Materials } from './materials.ts';
import { type Origins, Scope } from './origins.ts';

export function compileStore(
  name: string,
  store: StoreConfig,
  origins: Origins,
  materials: Materials,
): LimitStoreSettings {
  const path = ['stores', name];
  const scope = new Scope(origins, store, `stores.${name}`, path);
  const address = parseRedisUrl(store.redis);
  if (typeof address === 'string') throw new Error(`the schema accepts no such URL: ${address}`);
  for (const key of ['host', 'port', 'username', 'password', 'database']) scope.note(key, ['redis']);
  const { host, port, username, password, database, secure } = address;
  return {
    name,
    host,
    port,
    username,
    password,
    database,
    tls: secure ? compileTls(store, scope, [...path, 'tls'], materials) : scope.part('tls', ['redis'], null),
    connectTimeoutMs: scope.number('connectTimeoutMs', 'stores.connectTimeout'),
    onError: scope.choice('onError', 'stores.onError'),
    timeoutMs: scope.number('timeoutMs', 'stores.timeout'),
    inFlightMax: scope.number('inFlightMax', 'stores.inFlight'),
    keyPrefix: scope.part('keyPrefix', ['keyPrefix'], store.keyPrefix ?? STORE_KEY_PREFIX),
  };
}

function compileTls(
  { tls }: StoreConfig,
  scope: Scope,
  path: readonly string[],
  materials: Materials,
): LimitStoreSettings['tls'] {
  const caFile = tls?.caFile;
  return {
    verify: scope.choice('tls.verify', 'stores.tls.verify'),
    serverName: scope.part('tls.serverName', ['tls', 'serverName'], tls?.serverName ?? null),
    caPem: scope.part(
      'tls.caPem',
      ['tls', 'caFile'],
      caFile === undefined ? null : materials.readAuthorities(caFile, [...path, 'caFile']),
    ),
    certPem: null,
    keyPem: null,
  };
}
