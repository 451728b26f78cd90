/** The problems of the process in whole sentences, the worst first: an operator must see them within five seconds. */
import { WARN_BEFORE_MS } from '../lifecycle/certificate_watch.ts';
import type { RecentCause } from '../net/connection.ts';
import { duration, percent } from './status_format.ts';
import type { EndpointView, PageView } from './status_view.ts';

/** The problems that an operator must see, the worst first; each is a whole sentence. */
export function problemsOf(view: PageView): string[] {
  const found: string[] = [];
  if (view.phase !== 'serving') found.push(`The process is ${view.phase.replace('_', ' ')}.`);
  if (view.overload !== null) found.push(`Requests are refused because of overload (${view.overload}).`);
  for (const { listener, cause, count } of view.refusals) {
    const refused = count === 1 ? '1 connection was' : `${count} connections were`;
    found.push(`${listener}: ${refused} refused in the last minute: ${REFUSED_BECAUSE[cause]}.`);
  }
  for (const { listener, subject, leftMs } of view.certificates) {
    if (leftMs <= 0) found.push(`${listener}: the certificate of ${subject} has expired.`);
    else if (leftMs < WARN_BEFORE_MS)
      found.push(`${listener}: the certificate of ${subject} expires in ${duration(leftMs)}.`);
  }
  for (const { name, serving, panic, circuit, circuitWhy, queue } of view.clusters) {
    if (serving === 0) found.push(`${name}: no endpoint is eligible.`);
    if (panic)
      found.push(
        `${name} is below its panic threshold: most endpoints are down, so all of them get traffic.`,
      );
    if (circuit === 'open') found.push(`${name}: the circuit breaker of the cluster is open: ${circuitWhy}.`);
    if (queue > 0) found.push(`${name}: ${queue} requests are waiting for a connection.`);
  }
  for (const { name, endpoints } of view.clusters)
    for (const endpoint of sorted(endpoints)) found.push(...endpointProblems(name, endpoint));
  for (const { name, state, sinceMs, lastError, onError } of view.stores) {
    const effect =
      onError === 'allow' ? 'its rate limits admit everything' : 'requests with its rate limits get a 503';
    if (state === 'lost')
      found.push(`Store ${name} has been unreachable for ${duration(sinceMs)} (${lastError}): ${effect}.`);
  }
  const reload = view.lastReload?.result;
  if (!view.isFromFile)
    found.push(
      'The running plan came from a rollback; the next reload or restart would bring back the plan in the file.',
    );
  if (reload?.kind === 'rejected') found.push(`The last reload was rejected: ${reload.problems?.[0] ?? ''}`);
  return found;
}

const REFUSED_BECAUSE: Readonly<Record<RecentCause, string>> = {
  process: 'process.connections is reached',
  descriptors: 'the process may open too few files (raise LimitNOFILE, ulimit -n)',
  listener: 'limits.connections of the listener is reached',
  clientIp:
    'one client address has as many as limits.connectionsPerIp allows (a load balancer belongs in trustedProxies)',
  flooded: 'their clients have flooded the listener shortly before (limits.floodPenalty)',
  handshakes:
    'limits.handshakes of the listener is reached: more TLS handshakes have begun than can end in time',
  proxyProtocol:
    'their PROXY protocol header was missing, wrong or not from a network in proxyProtocol.from (the log says which: proxy_protocol_refused)',
};

function endpointProblems(cluster: string, endpoint: EndpointView): string[] {
  const { state, sinceMs, lastError, circuit, circuitWhy, figures, disagrees } = endpoint;
  const name = `${cluster} ${endpoint.endpoint}`;
  const because = lastError === null ? '' : `: ${lastError}`;
  if (state === 'unresolved') return [`${name}${because}.`];
  if (state === 'drained') return [`${name} was drained by an operator ${duration(sinceMs)} ago.`];
  if (isOut(state)) return [`${name} has been ${state} for ${duration(sinceMs)}${because}.`];
  const last = lastError === null ? '' : `, most recently ${lastError}`;
  const found: string[] = [];
  if (circuit === 'open') found.push(`${name}: its circuit breaker is open: ${circuitWhy}.`);
  if (disagrees) found.push(`${name}: its health check succeeds while its requests fail.`);
  else if (figures.failureShare > FAILURE_SHARE_BAD)
    found.push(`${name}: ${percent(figures.failureShare)} of its requests fail${last}.`);
  return found;
}

/** Share of failed requests above which an endpoint is listed as a problem. */
export const FAILURE_SHARE_BAD = 0.05;

function isOut(state: string): boolean {
  return state === 'unhealthy' || state === 'ejected' || state === 'unresolved';
}

export function severityOf({ state, circuit, disagrees, figures }: EndpointView): number {
  if (isOut(state)) return 0;
  if (circuit === 'open' || disagrees || figures.failureShare > FAILURE_SHARE_BAD) return 1;
  return state === 'healthy' || state === 'unchecked' ? 3 : 2;
}

export function sorted(endpoints: readonly EndpointView[]): EndpointView[] {
  return endpoints.toSorted((a, b) => severityOf(a) - severityOf(b));
}
