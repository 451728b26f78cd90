/**
 * Every setting that has a default: its value, its bounds and the reason for them. This is the only place for these
 * facts; the schema, the compiler, the messages and the reference read them from here.
 *
 * The id of a setting is its path in the configuration without the names that people choose: `clusters.pool.idle`.
 * The settings under `listeners.http2.windows` are fixed and cannot be configured; their reasons are kept here too.
 */
import { LOG_LEVELS } from '../../observability/logging.ts';

type Unit = 'ms' | 'bytes' | 'bytesPerSecond' | 'count' | 'ratio';

/** A setting that is a number. `value`, `min` and `max` are in `unit`; a null value means `off`: no limit. */
export interface NumberSetting {
  readonly unit: Unit;
  readonly value: number | null;
  readonly min: number;
  readonly max: number;
  /** Whether the configuration may say `off`. */
  readonly off: boolean;
  readonly why: string;
}

/** A setting that is one of a few words or numbers, or true or false. */
export interface ChoiceSetting {
  readonly value: string | number | boolean;
  readonly options: readonly (string | number | boolean)[];
  readonly why: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

type Bounds = readonly [min: number, max: number];

function ms(value: number, bounds: Bounds, why: string): NumberSetting {
  return { unit: 'ms', value, min: bounds[0], max: bounds[1], off: false, why };
}
function bytes(value: number, bounds: Bounds, why: string): NumberSetting {
  return { unit: 'bytes', value, min: bounds[0], max: bounds[1], off: false, why };
}
function bytesPerSecond(value: number, bounds: Bounds, why: string): NumberSetting {
  return { unit: 'bytesPerSecond', value, min: bounds[0], max: bounds[1], off: false, why };
}
function count(value: number, bounds: Bounds, why: string): NumberSetting {
  return { unit: 'count', value, min: bounds[0], max: bounds[1], off: false, why };
}
function ratio(value: number, bounds: Bounds, why: string): NumberSetting {
  return { unit: 'ratio', value, min: bounds[0], max: bounds[1], off: false, why };
}
function orOff(setting: NumberSetting): NumberSetting {
  return { ...setting, off: true };
}
function offUnlessWritten(setting: NumberSetting): NumberSetting {
  return { ...setting, off: true, value: null };
}

export const NUMBERS = {
  'process.drain.delay': ms(
    0,
    [0, HOUR],
    'How long traffic is still served after readiness has turned to 503, so that load balancers stop sending first.',
  ),
  'process.drain.timeout': ms(
    30 * SECOND,
    [1, DAY],
    'Longest wait for requests and tunnels at a shutdown; what is left is then cut off. systemd kills the process after 90 s by default.',
  ),
  'process.reload.history': count(
    5,
    [1, 50],
    'Plans kept in memory for a rollback, the running one included.',
  ),
  'process.connections': count(
    20_000,
    [1, 1_000_000],
    'Client connections of the whole process. Each one costs a file descriptor and about 25 KiB.',
  ),
  'process.bufferedBytes': orOff(
    bytes(
      256 * MIB,
      [MIB, 1_024 * GIB],
      'Bytes of bodies and tunnels buffered in the process, over all requests: copies kept for a retry, uploads that a backend does not read, responses that a client does not read. Above this the oldest copies are dropped, then the requests that have waited longest are ended. These bytes are outside the heap that heapRatio watches.',
    ),
  ),
  'process.reload.probation.window': ms(
    30 * SECOND,
    [SECOND, HOUR],
    'How long after a reload too many failures roll it back.',
  ),
  'process.reload.probation.maxFailureRatio': ratio(
    0.2,
    [0, 1],
    'Highest share of failed requests after a reload that is still accepted.',
  ),
  'process.reload.probation.minRequests': count(
    50,
    [1, 1_000_000],
    'Minimum requests after a reload before the failure ratio is judged.',
  ),
  'process.overload.eventLoopDelay': orOff(
    ms(
      200,
      [10, MINUTE],
      'Event loop delay, averaged over a second, above which some new requests are refused; at twice this delay all of them are.',
    ),
  ),
  'process.overload.heapRatio': orOff(
    ratio(0.9, [0.1, 1], 'Heap in use, as a share of the heap limit, above which new requests are refused.'),
  ),
  'logging.access.sample': ratio(
    1,
    [0, 1],
    'Share of successful requests that are logged. Failures are always logged.',
  ),

  'tracing.otlp.sample': ratio(
    0.01,
    [0, 1],
    'Share of traces started here that are recorded. Traces started elsewhere follow their own sampling decision.',
  ),
  'tracing.otlp.timeout': ms(
    5 * SECOND,
    [100, MINUTE],
    'Timeout for sending one batch of spans. A batch that fails is sent twice more.',
  ),

  'listeners.limits.connections': orOff(
    count(10_000, [1, 1_000_000], 'Client connections of one listener; half of process.connections.'),
  ),
  'listeners.limits.connectionsPerIp': orOff(
    count(
      256,
      [1, 1_000_000],
      'Connections from one IPv4 address or one IPv6 /64 network, so that no client can take them all. Trusted proxies are exempt.',
    ),
  ),
  'listeners.limits.tunnelsPerIp': orOff(
    count(
      256,
      [1, 1_000_000],
      'WebSocket tunnels and handshakes of one client address (IPv6 by /64), as many as connectionsPerIp. Behind a trusted proxy it counts by the address of the client, which connectionsPerIp cannot.',
    ),
  ),
  'listeners.limits.floodPenalty': orOff(
    ms(
      10 * SECOND,
      [SECOND, HOUR],
      'How long a client gets no new connections after 32 of its connections were cut within that time because of what it sent on them: floods of frames or tiny pieces, HPACK bombs, broken HTTP/2. Doubles each time that the client does it again, up to 64 times. Reconnecting costs an attacker nothing, and the proxy some milliseconds each time. Trusted proxies are exempt.',
    ),
  ),
  'listeners.limits.handshakes': orOff(
    count(
      1_000,
      [1, 1_000_000],
      'TLS handshakes of one listener at the same time, from the first byte of the client to the end of the handshake. Each one takes about a millisecond of CPU, so more could not complete in time.',
    ),
  ),
  'listeners.limits.headBytes': bytes(
    32 * KIB,
    [512, MIB],
    'Size of the request line and all fields together (nginx: 4 x 8 KiB).',
  ),
  'listeners.limits.headerCount': count(100, [1, 2_000], 'Fields in one request (Envoy: 100, HAProxy: 101).'),
  'listeners.limits.uriBytes': bytes(
    8 * KIB,
    [64, MIB],
    'Length of the request target. RFC 9112 section 3 recommends support for at least 8000 bytes.',
  ),
  'listeners.limits.bodyBytes': orOff(
    bytes(
      100 * MIB,
      [1, 1_024 * GIB],
      'Size of a request body, checked against Content-Length before the request is forwarded and counted while the body streams.',
    ),
  ),
  'listeners.limits.minUploadRate': orOff(
    bytesPerSecond(
      240,
      [1, GIB],
      'Slowest average speed of a request body while the proxy waits for the client (Kestrel: 240 B/s). A client that falls behind it by more than bodyIdle (30s where that is off) gets 408. bodyIdle alone would let one byte every 29 s hold a request forever.',
    ),
  ),
  'listeners.limits.minDownloadRate': orOff(
    bytesPerSecond(
      240,
      [1, GIB],
      'Slowest average speed at which a client reads a response while bytes are waiting for it; time in which the backend sends nothing does not count, nor do tunnels. A client that falls behind it by more than bodyIdle (30s where that is off) is cut off.',
    ),
  ),
  'listeners.limits.requestsPerConnection': orOff(
    count(
      10_000,
      [1, 1_000_000_000],
      'Requests on one client connection before it is closed, so that clients spread out again after a scale-out.',
    ),
  ),
  'listeners.limits.pendingProxyHeaders': count(
    4_096,
    [1, 1_000_000],
    'Connections of one listener whose PROXY protocol header has not arrived yet, each with at most 4 KiB of it; more are refused. As many as the kernel queues.',
  ),
  'listeners.trustedHops': count(
    1,
    [1, 32],
    'Addresses that the trusted proxy in front writes at the right end of X-Forwarded-For; the leftmost of them is the client. Google Cloud writes two: the client and itself.',
  ),
  'listeners.timeouts.proxyHeader': ms(
    5 * SECOND,
    [10, HOUR],
    'From the accepted connection to the complete PROXY protocol header, where one is required.',
  ),
  'listeners.timeouts.head': ms(
    10 * SECOND,
    [10, HOUR],
    'From the first byte of a request head to its last byte. Stops slow-header attacks.',
  ),
  'listeners.timeouts.bodyIdle': orOff(
    ms(
      30 * SECOND,
      [10, DAY],
      'Longest pause while a client sends its request body or reads the response body.',
    ),
  ),
  'listeners.timeouts.keepAliveIdle': ms(
    75 * SECOND,
    [10, DAY],
    'How long an idle client connection stays open. Longer than the 60 s of an AWS ALB, so that the load balancer closes first and no request is lost.',
  ),
  'listeners.timeouts.request': orOff(
    ms(
      60 * SECOND,
      [10, DAY],
      'From the complete request to the response head, including all attempts and waits.',
    ),
  ),
  'listeners.tls.sessionTickets.rotate': ms(
    12 * HOUR,
    [MINUTE, 7 * DAY],
    'How often the key of session tickets is replaced. Anyone who steals a key can decrypt TLS 1.2 traffic recorded while it was in use (RFC 9325 section 4.1.4: rotate regularly).',
  ),
  'listeners.http2.maxConcurrentStreams': count(
    128,
    [1, 10_000],
    'Concurrent streams on one connection. RFC 9113 section 6.5.2 recommends at least 100; the default of Node is 2^32 - 1.',
  ),
  'listeners.http2.windows.stream': bytes(
    64 * KIB,
    [64 * KIB, 16 * MIB],
    "Flow-control window of one stream; the value of Envoy's edge guide.",
  ),
  'listeners.http2.windows.connection': bytes(
    MIB,
    [64 * KIB, 64 * MIB],
    "Flow-control window of one connection; the value of Envoy's edge guide.",
  ),

  'routes.timeouts.responseHead': orOff(
    ms(
      30 * SECOND,
      [10, DAY],
      'From the last byte of the request sent to the response head, for each attempt. Below the 60 s of most load balancers, so that clients get our 504 with its reason.',
    ),
  ),
  'routes.timeouts.responseIdle': orOff(
    ms(60 * SECOND, [10, DAY], 'Longest pause while the backend sends its response body.'),
  ),
  'routes.timeouts.tunnelIdle': orOff(
    ms(10 * MINUTE, [10, 30 * DAY], 'Longest time without a byte in either direction of a WebSocket tunnel.'),
  ),
  'routes.retries.attempts': count(
    2,
    [0, 10],
    'Attempts after the first one. More would multiply the load on a failing cluster.',
  ),
  'routes.retries.perTry': offUnlessWritten(
    ms(
      0,
      [10, HOUR],
      'From the complete request at the backend to the response head, for each attempt on its own.',
    ),
  ),
  'routes.retries.backoff.base': ms(
    25,
    [1, MINUTE],
    'First pause before a retry, with full jitter (Envoy: 25 ms).',
  ),
  'routes.retries.backoff.max': ms(
    250,
    [1, 10 * MINUTE],
    'Longest pause before a retry (Envoy: ten times the base).',
  ),
  'routes.retries.replayBytes': bytes(
    64 * KIB,
    [0, 16 * MIB],
    'Bytes of a request body that are kept for another attempt. A larger body is sent only once.',
  ),
  'routes.maintenance.status': count(
    503,
    [400, 599],
    'Status of the response. 503 says that the state is temporary (RFC 9110 section 15.6.4), so search engines keep their index.',
  ),
  'routes.maintenance.retryAfter': ms(
    5 * MINUTE,
    [SECOND, 30 * DAY],
    'Sent as Retry-After, in whole seconds: when clients should try again.',
  ),
  'routes.rateLimits.burst': count(
    1,
    [1, 1_000_000],
    'Requests that may arrive at once before the rate applies; 1 means evenly spread.',
  ),
  'stores.connectTimeout': ms(
    SECOND,
    [10, MINUTE],
    'Time to connect to the store: name lookup, TCP and TLS together. No request waits for longer than timeout.',
  ),
  'stores.timeout': ms(
    50,
    [1, 10 * SECOND],
    'Longest wait of a request for the store; then onError applies. A store in the same network answers within a millisecond.',
  ),
  'stores.inFlight': count(
    1_024,
    [1, 100_000],
    'Requests that may wait for the store at once; to more of them onError applies at once.',
  ),
  'routes.forward.split.weight': count(1, [0, 1_000_000], 'Relative share of the requests; 0 gets none.'),

  'clusters.endpoints.weight': count(1, [0, 1_000], 'Relative share of the traffic; 0 gets none.'),
  'clusters.endpoints.tier': count(
    0,
    [0, 9],
    'Priority tier. Endpoints of a higher tier are backups: they get traffic only while no lower tier has a healthy endpoint.',
  ),
  'clusters.endpoints.resolve.refresh': ms(
    10 * SECOND,
    [SECOND, HOUR],
    'Longest time between two lookups of a name; a shorter time to live makes it sooner.',
  ),
  'clusters.loadBalancing.slowStart': offUnlessWritten(
    ms(
      30 * SECOND,
      [100, HOUR],
      'How long a new or recovered endpoint takes to get its full share of the traffic; it starts at a tenth and grows linearly (as in Envoy).',
    ),
  ),
  'clusters.loadBalancing.panicBelow': offUnlessWritten(
    ratio(
      0.5,
      [0.01, 1],
      'Panic threshold: with a smaller share of healthy endpoints, all endpoints get traffic (Envoy: 50 %). Off, because it sends requests to endpoints that are known to be down.',
    ),
  ),
  'clusters.pool.connections': count(128, [1, 65_535], 'Concurrent connections to one endpoint.'),
  'clusters.pool.queue': count(
    1_024,
    [0, 1_000_000],
    'Requests of a cluster that may wait for a connection; more are refused at once (Envoy: 1024). With 128 connections and 100 ms per response this is a wait of 0.8 s.',
  ),
  'clusters.pool.queueTimeout': ms(
    SECOND,
    [1, HOUR],
    'Longest wait for a connection; the request then fails with 503.',
  ),
  'clusters.pool.idle': ms(
    4 * SECOND,
    [100, HOUR],
    'How long an idle backend connection stays open. Less than the 5 s after which Node.js backends close idle connections: a request written into a closing connection is lost.',
  ),
  'clusters.pool.maxRequests': orOff(
    count(
      1_000,
      [1, 1_000_000_000],
      'Requests on one backend connection before it is replaced (nginx: 1000).',
    ),
  ),
  'clusters.pool.maxAge': orOff(
    ms(
      HOUR,
      [SECOND, 30 * DAY],
      'Age at which a backend connection is replaced, with 10 % jitter (nginx: 1 h).',
    ),
  ),
  'clusters.pool.connectTimeout': ms(
    3 * SECOND,
    [10, 10 * MINUTE],
    'Time to open a backend connection: name lookup, TCP and TLS together (Caddy: 3 s).',
  ),
  'clusters.health.active.interval': ms(
    5 * SECOND,
    [100, HOUR],
    'Time between two probes of an endpoint, with 20 % jitter.',
  ),
  'clusters.health.active.timeout': ms(
    2 * SECOND,
    [10, HOUR],
    'Time after which a probe without a response has failed. The default is never longer than the interval.',
  ),
  'clusters.health.active.healthyAfter': count(
    2,
    [1, 100],
    'Successes in a row before an endpoint is used again (HAProxy: rise 2).',
  ),
  'clusters.health.active.unhealthyAfter': count(
    3,
    [1, 100],
    'Failures in a row before an endpoint is no longer used (HAProxy: fall 3).',
  ),
  'clusters.health.passive.consecutiveFailures': count(
    5,
    [1, 10_000],
    'Failed requests in a row that eject an endpoint (Envoy: 5).',
  ),
  'clusters.health.passive.failureRatio': offUnlessWritten(
    ratio(
      0.5,
      [0.01, 1],
      'Share of failed requests in the window that ejects an endpoint, in addition to failures in a row.',
    ),
  ),
  'clusters.health.passive.minRequests': count(
    20,
    [1, 1_000_000],
    'Minimum requests to an endpoint in the window before the failure ratio is judged.',
  ),
  'clusters.health.passive.window': ms(
    10 * SECOND,
    [100, HOUR],
    'Time over which the failure ratio is measured.',
  ),
  'clusters.health.passive.ejectFor': ms(
    30 * SECOND,
    [100, HOUR],
    'Length of the first ejection; each further one is longer by this much, up to 5 minutes (Envoy: 30 s).',
  ),
  'clusters.health.passive.maxEjected': ratio(
    0.5,
    [0, 1],
    'Share of a cluster that may be ejected at once; the rest must carry the load.',
  ),
  'clusters.circuitBreaker.failureRatio': ratio(
    0.5,
    [0.01, 1],
    'Share of failed requests in the window that opens the circuit.',
  ),
  'clusters.circuitBreaker.minRequests': count(
    20,
    [1, 1_000_000],
    'Minimum requests in the window before the failure ratio is judged.',
  ),
  'clusters.circuitBreaker.window': ms(
    10 * SECOND,
    [100, HOUR],
    'Time over which the failure ratio is measured.',
  ),
  'clusters.circuitBreaker.openFor': ms(
    5 * SECOND,
    [100, HOUR],
    'How long an open circuit sends nothing before it probes; doubles with each failed probe, up to a minute.',
  ),
  'clusters.retryBudget.ratio': ratio(0.2, [0, 1], 'Retries allowed per request (Finagle and Envoy: 20 %).'),
  'clusters.retryBudget.minPerSecond': count(
    10,
    [0, 100_000],
    'Retries per second that are always allowed, however few requests there are (Finagle: 10).',
  ),
} as const satisfies Record<string, NumberSetting>;

function choice<const T extends string | number | boolean>(
  value: NoInfer<T>,
  options: readonly T[],
  why: string,
) {
  return { value, options, why };
}

export const CHOICES = {
  'process.reload.watch': choice(
    true,
    [true, false],
    'Whether a changed configuration file or certificate is reloaded automatically. SIGHUP always reloads.',
  ),
  'logging.level': choice(
    'info',
    LOG_LEVELS,
    'Lowest severity that is logged. Access log lines have their own switch.',
  ),
  'logging.format': choice(
    'auto',
    ['auto', 'json', 'pretty'],
    'Who reads the log. pretty is for people: one short line for each request and event, in colour on a terminal. json is for programs, in the format that logging.access.format names. auto is pretty where standard output is a terminal and logging.access.format is json, and json everywhere else.',
  ),
  'logging.time': choice(
    'epoch',
    ['epoch', 'iso'],
    'How JSON lines write the time: milliseconds since 1970, or ISO 8601 in UTC. Pretty lines have the local time of day, or with iso the whole instant. ecs and combined have a fixed form.',
  ),
  'logging.access.format': choice(
    'json',
    ['json', 'ecs', 'combined'],
    'Format of access lines and events for programs: all fields as JSON, the Elastic Common Schema, or the combined format of Apache and nginx with events as in the error log of nginx.',
  ),
  'tracing.propagate': choice(true, [true, false], 'Whether traceparent and tracestate are passed on.'),
  'tracing.start': choice(
    true,
    [true, false],
    'Whether a request without a trace starts one. With false, backends get no trace fields that the client did not send.',
  ),
  'listeners.http2': choice(true, [true, false], 'Whether HTTP/2 is offered by ALPN. Needs TLS.'),
  'listeners.h2c': choice(
    false,
    [true, false],
    'Whether HTTP/2 without TLS is accepted, by prior knowledge (RFC 9113 section 3.3). Few clients use it.',
  ),
  'listeners.reusePort': choice(
    false,
    [true, false],
    'Whether a second process may listen on the same port (SO_REUSEPORT), so that a new one serves before the old one stops. With false a port that is taken is an error at start; with true it is shared with any process of the same user.',
  ),
  'listeners.tls.minVersion': choice(
    'TLSv1.2',
    ['TLSv1.2', 'TLSv1.3'],
    'Oldest TLS version accepted; RFC 8996 deprecates anything older.',
  ),
  'listeners.tls.clientCertificate.mode': choice(
    'none',
    ['none', 'optional', 'required'],
    'Whether clients are asked for a certificate. With required, a handshake without a valid one fails; with optional, a client may have none, but one that is not valid gets 400.',
  ),
  'listeners.tls.misdirected': choice(
    'auto',
    ['auto', 'reject', 'allow'],
    'What happens to a request for a host that is not covered by the certificate which the client selected by SNI: answered with 421 (RFC 9110 section 15.5.20), or routed by its host. auto rejects where clients are asked for certificates (as Caddy does), and allows otherwise.',
  ),
  'listeners.paths.dotSegments': choice(
    'reject',
    ['reject', 'resolve'],
    'What happens to a path with .. segments: refused with 400, or resolved for matching (the backend gets the original path). Proxies and backends read such paths differently, which attackers exploit.',
  ),
  'listeners.paths.encodedSlash': choice(
    'keep',
    ['keep', 'reject'],
    'What happens to %2F in a path: kept, or refused with 400. When kept it does not separate segments here, but a backend may treat it as a separator.',
  ),
  'listeners.paths.slashes': choice(
    'keep',
    ['keep', 'fold', 'reject'],
    'What happens to several slashes in a row: kept, folded into one for matching (the backend gets the original path), or refused with 400.',
  ),
  'listeners.paths.semicolons': choice(
    'keep',
    ['keep', 'fold', 'reject'],
    'What happens to segment parameters (/a;x=1): kept, ignored for matching (the backend gets the original path), or refused with 400.',
  ),
  'listeners.headers.underscores': choice(
    'drop',
    ['drop', 'reject', 'keep'],
    'What happens to request fields with an underscore in their name: removed, refused with 400, or kept. CGI, PHP, WSGI and many others take X_Forwarded_For for X-Forwarded-For (nginx: dropped too).',
  ),
  'routes.redirect.status': choice(
    308,
    [301, 302, 303, 307, 308],
    'Status of the redirect. 308 is permanent and keeps the method (RFC 9110 section 15.4.9).',
  ),
  'routes.maintenance.enabled': choice(
    true,
    [true, false],
    'Whether maintenance is on. With false the block stays in the file, prepared: it is checked, and its page is read.',
  ),
  'routes.rateLimits.mode': choice(
    'enforce',
    ['enforce', 'shadow'],
    'Whether the limit refuses requests, or only counts those that it would refuse.',
  ),
  'routes.rateLimits.headers': choice(
    'off',
    ['off', 'draft'],
    'Whether responses carry RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11). Off, because the draft may still change.',
  ),
  'routes.basicAuth.forwardAuthorization': choice(
    false,
    [true, false],
    'Whether the backend gets the Authorization field. Removed by default: a backend that does not need passwords should not see them.',
  ),
  'stores.onError': choice(
    'allow',
    ['allow', 'deny'],
    'What happens to requests while the store cannot be asked: allow lets them pass uncounted, deny answers 503.',
  ),
  'stores.tls.verify': choice(
    true,
    [true, false],
    'Whether the certificate of the store is verified. If not, anyone on the network path can impersonate it.',
  ),
  'clusters.protocol': choice(
    'http1',
    ['http1', 'http2', 'h2c'],
    'Protocol of the backends: HTTP/1.1, HTTP/2 over TLS, or HTTP/2 without TLS.',
  ),
  'clusters.required': choice(
    false,
    [true, false],
    'Whether readiness depends on this cluster having an eligible endpoint.',
  ),
  'clusters.tls.verify': choice(
    true,
    [true, false],
    'Whether the certificate of a backend is verified. If not, anyone on the network path can impersonate it.',
  ),
  'clusters.loadBalancing.policy': choice(
    'leastRequests',
    ['roundRobin', 'leastRequests', 'random'],
    'How the endpoint for a request is chosen. leastRequests takes the less busy of two random endpoints, which evens out slow ones.',
  ),
} as const satisfies Record<string, ChoiceSetting>;

/** The grace of the minimum rates where `bodyIdle` is off. */
export const RATE_GRACE_MS = 30 * SECOND;
/** The failures that are retried unless a route says otherwise: the backend has seen little or nothing of such a request. */
export const RETRY_ON = ['connect', 'reset'] as const;
/**
 * Cipher suites of TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 section 4.2; the intermediate list of
 * Mozilla without finite-field Diffie-Hellman). AES-128 first: as secure, and the fastest with hardware support.
 */
export const TLS12_CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;
/** The statuses of a probe that mean healthy: success and redirects (Traefik: the same). */
export const HEALTHY_STATUSES = { min: 200, max: 399 };

/** Shown by browsers beside the fields for name and password. */
export const BASIC_AUTH_REALM = 'Restricted';
/** Prefix of every key in a store, so that other programs can use the same server. */
export const STORE_KEY_PREFIX = 'fairlead:';

export type NumberId = keyof typeof NUMBERS;
export type ChoiceId = keyof typeof CHOICES;
export type ChoiceValue<Id extends ChoiceId> = (typeof CHOICES)[Id]['options'][number];
