/**
 * Finds routes that restrict access, and other spellings of their path that reach a route without the restriction:
 * `//admin` and `/admin;x` are other paths to the router and the same path to many backends.
 */

import type { RouteSettings } from '../../routing/route.ts';
import { buildRouter } from '../../routing/router.ts';
import type { Plan } from '../plan.ts';

interface EvadedGuard {
  readonly guard: string;
  readonly spelling: string;
  /** The route that the other spelling reaches. */
  readonly open: string;
  /** The setting that folds the spelling. */
  readonly setting: string;
}

/** The first such spelling for each guarded route. */
export function findEvadedGuards({ routes, listeners }: Plan): EvadedGuard[] {
  const found = new Map<string, EvadedGuard>();
  if (!routes.some(isGuard)) return [];
  for (const { name: listener, paths } of Object.values(listeners)) {
    const served = routes.filter(route => route.listeners[listener] !== undefined);
    const router = buildRouter(served.map(route => ({ match: route.match, value: route })));
    for (const guard of served.filter(isGuard)) {
      for (const [setting, spelling] of spellings(guard, paths)) {
        const open = router.match(asking(guard, spelling));
        if (open === null || open === guard || isGuard(open) || open.action.kind !== 'forward') continue;
        const evaded = {
          guard: guard.name,
          spelling,
          open: open.name,
          setting: `listeners.${listener}.${setting}`,
        };
        if (!found.has(guard.name)) found.set(guard.name, evaded);
      }
    }
  }
  return [...found.values()];
}

function isGuard({ action, access, basicAuth, match }: RouteSettings): boolean {
  const isRefusal = action.kind === 'respond' && (action.status === 401 || action.status === 403);
  const isPlain = match.path.kind === 'exact' || match.path.kind === 'prefix';
  return (
    isPlain &&
    match.path.value !== '/' &&
    (isRefusal || access.allow.length + access.deny.length > 0 || basicAuth !== null)
  );
}

function spellings(
  { match }: RouteSettings,
  { slashes, semicolons }: Plan['listeners'][string]['paths'],
): [setting: string, path: string][] {
  const { value } = match.path;
  const found: [string, string][] = [];
  if (slashes === 'keep') found.push(['paths.slashes', `/${value}`]);
  if (semicolons === 'keep') found.push(['paths.semicolons', `${value};x`]);
  return found;
}

/** A request that the guarded route would get, except for the spelling of its path. */
function asking({ match }: RouteSettings, matchPath: string) {
  const host = (match.hosts[0] ?? 'host.invalid').replace(/^\*\./, 'any.');
  return {
    method: match.methods[0] ?? 'GET',
    matchHost: host,
    authority: host,
    matchPath,
    query: '',
    headers: [],
  };
}
