/** The problems of the process in whole sentences, the worst first: an operator must see them within five seconds. */
import { WARN_BEFORE_MS } from '../lifecycle/certificate_watch.ts';
import type { RecentCause } from '../net/connection.ts';
import { FAILURE_SHARE_BAD, isOut, sorted } from './endpoint_severity.ts';
import {
  ABOUT_PROCESS,
  ABOUT_RELOAD,
  aboutCluster,
  aboutListener,
  aboutStore,
  type Problem,
  worstFirst,
} from './problem.ts';
import { duration, percent } from './status_format.ts';
import type { ClusterView, EndpointView, PageView, StoreView } from './status_view.ts';

/** The problems that an operator must see, the worst first. */
export function problemsOf(view: PageView): readonly Problem[] {
  return worstFirst([
    ...processProblems(view),
    ...listenerProblems(view),
    ...view.clusters.flatMap(clusterProblems),
    ...view.stores.flatMap(storeProblems),
    ...reloadProblems(view),
  ]);
}

function processProblems({ phase, overload }: PageView): Problem[] {
  const found: Problem[] = [];
  if (phase !== 'serving')
    found.push({
      severity: 'error',
      ...ABOUT_PROCESS,
      text: `The process is ${phase.replace('_', ' ')}.`,
      key: null,
    });
  if (overload !== null)
    found.push({
      severity: 'error',
      ...ABOUT_PROCESS,
      text: `Requests are refused because of overload (${overload}).`,
      key: 'process.overload',
    });
  return found;
}

function listenerProblems({ refusals, certificates }: PageView): Problem[] {
  const found: Problem[] = [];
  for (const { listener, cause, count } of refusals) {
    const refused = count === 1 ? '1 connection was' : `${count} connections were`;
    const { because, key } = REFUSED[cause];
    found.push({
      severity: 'warning',
      ...aboutListener(listener),
      text: `${listener}: ${refused} refused in the last minute: ${because}.`,
      key: key?.replace('*', listener) ?? null,
    });
  }
  for (const { listener, subject, leftMs } of certificates) {
    if (leftMs >= WARN_BEFORE_MS) continue;
    const ends = leftMs <= 0 ? 'has expired' : `expires in ${duration(leftMs)}`;
    found.push({
      severity: leftMs <= 0 ? 'error' : 'warning',
      ...aboutListener(listener),
      text: `${listener}: the certificate of ${subject} ${ends}.`,
      key: `listeners.${listener}.tls.certificates`,
    });
  }
  return found;
}

interface Refused {
  readonly because: string;
  /** `*` stands for the name of the listener. */
  readonly key: string | null;
}

const REFUSED: Readonly<Record<RecentCause, Refused>> = {
  process: { because: 'process.connections is reached', key: 'process.connections' },
  descriptors: {
    because: 'the process may open too few files (raise LimitNOFILE, ulimit -n)',
    key: null,
  },
  listener: {
    because: 'limits.connections of the listener is reached',
    key: 'listeners.*.limits.connections',
  },
  clientIp: {
    because:
      'one client address has as many as limits.connectionsPerIp allows (a load balancer belongs in trustedProxies)',
    key: 'listeners.*.limits.connectionsPerIp',
  },
  flooded: {
    because: 'their clients have flooded the listener shortly before (limits.floodPenalty)',
    key: 'listeners.*.limits.floodPenalty',
  },
  handshakes: {
    because:
      'limits.handshakes of the listener is reached: more TLS handshakes have begun than can end in time',
    key: 'listeners.*.limits.handshakes',
  },
  proxyProtocol: {
    because:
      'their PROXY protocol header was missing, wrong or not from a network in proxyProtocol.from (the log says which: proxy_protocol_refused)',
    key: 'listeners.*.proxyProtocol.from',
  },
};

function clusterProblems(cluster: ClusterView): Problem[] {
  const { name, serving, panic, circuit, circuitWhy, queue, endpoints } = cluster;
  const found: Problem[] = [];
  const add = (severity: Problem['severity'], text: string, key: string | null): void => {
    found.push({
      severity,
      ...aboutCluster(name),
      text,
      key: key === null ? null : `clusters.${name}.${key}`,
    });
  };
  if (serving === 0) add('error', `${name}: no endpoint is eligible.`, null);
  if (panic)
    add(
      'error',
      `${name} is below its panic threshold: most endpoints are down, so all of them get traffic.`,
      'loadBalancing.panicBelow',
    );
  if (circuit === 'open')
    add('error', `${name}: the circuit breaker of the cluster is open: ${circuitWhy}.`, 'circuitBreaker');
  if (queue > 0)
    add('warning', `${name}: ${queue} requests are waiting for a connection.`, 'pool.connections');
  for (const endpoint of sorted(endpoints))
    for (const text of endpointProblems(name, endpoint))
      add(endpoint.state === 'drained' ? 'note' : 'warning', text, null);
  return found;
}

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

function storeProblems({ name, state, sinceMs, lastError, onError }: StoreView): Problem[] {
  if (state !== 'lost') return [];
  const effect =
    onError === 'allow' ? 'its rate limits admit everything' : 'requests with its rate limits get a 503';
  return [
    {
      severity: onError === 'allow' ? 'warning' : 'error',
      ...aboutStore(name),
      text: `Store ${name} has been unreachable for ${duration(sinceMs)} (${lastError}): ${effect}.`,
      key: `stores.${name}`,
    },
  ];
}

function reloadProblems({ isFromFile, lastReload }: PageView): Problem[] {
  const found: Problem[] = [];
  const result = lastReload?.result;
  if (!isFromFile)
    found.push({
      severity: 'warning',
      ...ABOUT_RELOAD,
      text: 'The running plan came from a rollback; the next reload or restart would bring back the plan in the file.',
      key: null,
    });
  if (result?.kind === 'rejected')
    found.push({
      severity: 'warning',
      ...ABOUT_RELOAD,
      text: `The last reload was rejected: ${result.problems?.[0] ?? ''}`,
      key: null,
    });
  return found;
}
