/** Schema of a store of rate limits. */
import * as z from 'zod';
import { parseRedisUrl } from '../../net/redis_url.ts';
import { STORE_KEY_PREFIX } from './defaults.ts';
import { choice, number, plainText, text } from './leaves.ts';

export const storeSchema = z.strictObject({
  redis: text(value => {
    const parsed = parseRedisUrl(value);
    return typeof parsed === 'string' ? parsed : null;
  }).describe(
    'Redis or Valkey: `redis://HOST:PORT`, `rediss://` for TLS, `redis://USER:PASSWORD@HOST:PORT/DATABASE`. Take a password from the environment.',
  ),
  onError: choice('stores.onError'),
  timeout: number('stores.timeout'),
  connectTimeout: number('stores.connectTimeout'),
  inFlight: number('stores.inFlight'),
  keyPrefix: text(value =>
    /^[\x21-\x7e]{1,64}$/.test(value) ? null : 'expected 1 to 64 printable ASCII characters, without spaces',
  )
    .meta({
      description:
        'Prefix of each key, so that other programs can use the same server. Machines that share limits need the same prefix.',
      default: STORE_KEY_PREFIX,
    })
    .optional(),
  tls: z
    .strictObject({
      verify: choice('stores.tls.verify'),
      serverName: plainText
        .describe('Host name for SNI and for the certificate check. The host of the URL when absent.')
        .optional(),
      caFile: plainText
        .describe('PEM file with the certificate authorities to trust instead of the system defaults.')
        .optional(),
    })
    .optional(),
});

export type StoreConfig = z.output<typeof storeSchema>;
