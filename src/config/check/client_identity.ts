/** Who is believed about the client, and which fields of a client arrive: what is allowed there and probably not meant. */
import type { RouteSettings } from '../../routing/route.ts';
import type { Plan } from '../plan.ts';
import type { Path } from '../text/path.ts';

type Warn = (path: Path, message: string) => void;

export function lintClientIdentity(plan: Plan, placeOf: (route: string) => number, warn: Warn): void {
  for (const [name, { trustedProxies, proxyProtocol }] of Object.entries(plan.listeners)) {
    const path = ['listeners', name];
    if (trustedProxies.some(isEverybody))
      warn(
        [...path, 'trustedProxies'],
        `listener ${name} trusts everybody as a proxy: every client can say that it is another one; name the networks of the proxies`,
      );
    if (proxyProtocol?.from.some(isEverybody) === true)
      warn(
        [...path, 'proxyProtocol', 'from'],
        `listener ${name} reads PROXY protocol headers from everybody: every client that reaches it can say that it is another one; name the networks of the load balancers`,
      );
  }
  for (const route of plan.routes) lintUnderscores(route, plan, placeOf, warn);
}

function isEverybody(cidr: string): boolean {
  return /\/0+$/.test(cidr);
}

/** A route that looks at a field that no listener of it lets pass. */
function lintUnderscores(
  route: RouteSettings,
  { listeners }: Plan,
  placeOf: (route: string) => number,
  warn: Warn,
): void {
  const served = Object.keys(route.listeners).map(name => listeners[name]?.headers.underscores);
  if (served.length === 0 || served.includes('keep')) return;
  const path = ['routes', placeOf(route.name)];
  const hint = 'set listeners.*.headers.underscores to keep, or use a name without underscores';
  for (const { name, test } of route.match.headers)
    if (name.includes('_') && test.kind !== 'absent')
      warn(
        [...path, 'match', 'headers'],
        `route ${route.name} can never match: fields with an underscore such as ${name} are dropped or refused; ${hint}`,
      );
  for (const { key } of route.rateLimits)
    if (key.kind === 'header' && key.name.includes('_'))
      warn(
        [...path, 'rateLimits'],
        `a rate limit of route ${route.name} counts by ${key.name}, but fields with an underscore are dropped or refused; ${hint}`,
      );
}
