/** Checks stores of rate limits: references to existing stores, one store per route, TLS settings only with `rediss://`. */

import { didYouMean } from '../nearest.ts';
import type { RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

export function checkStores(relations: Relations): void {
  const { config, report } = relations;
  for (const [name, { redis, tls }] of Object.entries(config.stores ?? {})) {
    if (name === 'local')
      report(['stores', name], 'the name local is reserved for limits without a store; choose another one', {
        at: 'key',
      });
    if (tls !== undefined && !/^rediss:/i.test(redis))
      report(
        ['stores', name, 'tls'],
        `store ${name} is used without TLS, so tls has no effect; write rediss://`,
        {
          at: 'key',
        },
      );
  }
  for (const [at, route] of config.routes.entries())
    checkLimits(route, ['routes', at, 'rateLimits'], relations);
}

function checkLimits(
  { name, rateLimits = [] }: RouteConfig,
  path: Path,
  { config, isLost, report }: Relations,
): void {
  const known = Object.keys(config.stores ?? {});
  let first: string | null = null;
  for (const [at, { store = 'local' }] of rateLimits.entries()) {
    if (store === 'local') continue;
    const position = [...path, at, 'store'];
    if (!known.includes(store) && !isLost(['stores', store]))
      report(position, `a rate limit of route ${name} names store "${store}", which does not exist`, {
        hint: didYouMean(store, ['local', ...known]),
      });
    first ??= store;
    // A store charges either all limits of a request or none; two stores cannot do that together.
    if (store !== first)
      report(
        position,
        `the rate limits of route ${name} are in the stores ${first} and ${store}; use one of them, or local`,
      );
  }
}
