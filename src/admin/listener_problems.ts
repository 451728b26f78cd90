/** What is wrong on the side of the clients: connections and requests that a limit refuses, TLS, certificates. */
import { WARN_BEFORE_MS } from '../lifecycle/certificate_watch.ts';
import type { RecentCause } from '../net/connection.ts';
import type { TlsRefusal } from '../net/tls_refusal.ts';
import { countedVerb } from '../observability/number_text.ts';
import { aboutListener, type Problem } from './problem.ts';
import { duration } from './status_format.ts';
import type { HandshakesView, PageView } from './status_view.ts';

export function listenerProblems(view: PageView): Problem[] {
  return [
    ...view.certificates.flatMap(certificateProblem),
    ...view.refusals.map(refusalProblem),
    ...tunnelProblems(view),
    ...view.handshakes.flatMap(handshakeProblem),
    ...limitedProblems(view),
  ];
}

// ---- connections

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

function refusalProblem({ listener, cause, count }: PageView['refusals'][number]): Problem {
  const { because, key } = REFUSED[cause];
  return {
    severity: 'warning',
    ...aboutListener(listener),
    text: `${listener}: ${countedVerb(count, 'connection', 'was')} refused in the last minute: ${because}.`,
    key: key?.replace('*', listener) ?? null,
  };
}

function tunnelProblems({ recentFailures }: PageView): Problem[] {
  return recentFailures
    .filter(({ cause }) => cause === 'too_many_tunnels')
    .map(({ about, count }) => ({
      severity: 'warning' as const,
      ...aboutListener(about),
      text: `${about}: ${countedVerb(count, 'WebSocket', 'was')} refused in the last minute: one client address has as many as limits.tunnelsPerIp allows (a load balancer belongs in trustedProxies).`,
      key: `listeners.${about}.limits.tunnelsPerIp`,
    }));
}

// ---- TLS

/** Scanners and clients that leave are part of the internet: so many failures, and such a share, are not. */
const HANDSHAKES_FAILED_MIN = 5;
const HANDSHAKES_FAILED_SHARE = 0.1;

/** For each cause of `tls_refused` what it means, and the key under the listener. */
const HANDSHAKE_CAUSES: Readonly<Record<TlsRefusal, { readonly because: string; readonly key: string }>> = {
  plain_http: { because: 'the clients speak HTTP without TLS to this port', key: 'tls' },
  version: {
    because: 'the clients offer only TLS versions older than tls.minVersion',
    key: 'tls.minVersion',
  },
  alpn: { because: 'the clients offer neither HTTP/1.1 nor HTTP/2 by ALPN', key: 'http2' },
  certificate: {
    because:
      'a certificate is not accepted: ours by the clients, or that of a client by tls.clientCertificate',
    key: 'tls.certificates',
  },
  timeout: { because: 'the clients do not finish it within timeouts.head', key: 'timeouts.head' },
  left: { because: 'the clients close the connection in the middle of it', key: 'tls.certificates' },
  other: { because: 'see code in the events tls_refused', key: 'tls' },
};

function handshakeProblem({ listener, succeeded, failed }: HandshakesView): Problem[] {
  const count = failed.reduce((sum, one) => sum + one.count, 0);
  const all = succeeded + count;
  if (count < HANDSHAKES_FAILED_MIN || count < all * HANDSHAKES_FAILED_SHARE) return [];
  const { because, key } = HANDSHAKE_CAUSES[failed[0]?.cause ?? 'other'];
  return [
    {
      severity: 'warning',
      ...aboutListener(listener),
      text: `${listener}: ${count} of ${all} TLS handshakes failed in the last minute, most of them because ${because}.`,
      key: `listeners.${listener}.${key}`,
    },
  ];
}

function certificateProblem({ listener, subject, leftMs }: PageView['certificates'][number]): Problem[] {
  if (leftMs >= WARN_BEFORE_MS) return [];
  const ends = leftMs <= 0 ? 'has expired' : `expires in ${duration(leftMs)}`;
  return [
    {
      severity: leftMs <= 0 ? 'error' : 'warning',
      ...aboutListener(listener),
      text: `${listener}: the certificate of ${subject} ${ends}.`,
      key: `listeners.${listener}.tls.certificates`,
    },
  ];
}

// ---- requests

/** A rate limit that refuses a request now and then does what it is there for. */
const LIMITED_MIN = 10;

function limitedProblems({ rateLimited }: PageView): Problem[] {
  return rateLimited
    .filter(({ count }) => count >= LIMITED_MIN)
    .map(({ about, count }) => {
      const [route = about, at = ''] = about.split('/');
      return {
        severity: 'warning' as const,
        subject: `route ${route}`,
        anchor: null,
        text: `Route ${route}: ${count} requests were refused in the last minute by its rate limit (429).`,
        key: `routes.${route}.rateLimits${at === '' ? '' : `.${at}`}`,
      };
    });
}
