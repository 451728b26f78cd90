/** Hosts of routes that no certificate of their listener is for: their clients would refuse the connection. */

import { X509Certificate } from 'node:crypto';
import { covers, namesOf } from '../../net/certificate_names.ts';
import type { Plan } from '../plan.ts';
import type { Path } from '../text/path.ts';

type Warn = (path: Path, message: string) => void;

/** Names that are shown in a message. */
const SHOWN_MAX = 4;

export function lintCertificateHosts(plan: Plan, placeOf: (route: string) => number, warn: Warn): void {
  for (const { name, tls, trustedProxies } of Object.values(plan.listeners)) {
    // A load balancer that ends TLS and begins it anew does not look at the names.
    if (tls === null || trustedProxies.length > 0 || tls.certificates.some(({ certPem }) => certPem === ''))
      continue;
    const names = tls.certificates.map(({ certPem }) => namesOf(new X509Certificate(certPem)));
    const all = names.flatMap(({ dns, addresses }) => [...dns, ...addresses]);
    const shown =
      all.length === 0
        ? 'none'
        : `${all.slice(0, SHOWN_MAX).join(', ')}${all.length > SHOWN_MAX ? ', ...' : ''}`;
    const reported = new Set<string>();
    for (const route of plan.routes) {
      if (route.listeners[name] === undefined) continue;
      for (const [at, host] of route.match.hosts.entries()) {
        if (reported.has(host) || names.some(one => covers(one, host))) continue;
        reported.add(host);
        warn(
          ['routes', placeOf(route.name), 'match', 'hosts', at],
          `host ${host} of route ${route.name} is in no certificate of listener ${name}, so clients refuse it (names there: ${shown})`,
        );
      }
    }
  }
}
