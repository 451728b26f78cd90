/**
 * Every setting that has a default: its value, its bounds, and why. The only place where these facts stand; the
 * schema, the compiler, the messages and the reference read them from here.
 *
 * A setting is called by its place in the configuration, without the names that people choose:
 * `clusters.pool.idle`. Those under `listeners.http2.windows` cannot be written; their reasons stand here too.
 */
import { LOG_LEVELS } from '../../observability/logging.ts';

type Unit = 'ms' | 'bytes' | 'count' | 'ratio';

/** A number. Null is `off`: no limit. */
export interface NumberSetting {
  readonly unit: Unit;
  readonly value: number | null;
  readonly min: number;
  readonly max: number;
  /** `off` may be written. */
  readonly off: boolean;
  readonly why: string;
}

/** One of a few words or numbers, or yes and no. */
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
    'How long traffic still flows after readiness has turned to no, so that a load balancer notices first.',
  ),
  'process.drain.timeout': ms(
    30 * SECOND,
    [1, DAY],
    'When what is still under way at a shutdown is ended by force; systemd waits 90 s before it kills.',
  ),
  'process.reload.history': count(5, [1, 50], 'Plans that stay in memory, for a rollback.'),
  'process.connections': count(
    20_000,
    [1, 1_000_000],
    'Client connections of the whole process; each costs a descriptor and some 20 KiB.',
  ),
  'process.reload.probation.window': ms(
    30 * SECOND,
    [SECOND, HOUR],
    'How long after a reload too many failures undo it.',
  ),
  'process.reload.probation.maxFailureRatio': ratio(
    0.2,
    [0, 1],
    'Share of answers of 5xx after a reload that is still accepted.',
  ),
  'process.reload.probation.minRequests': count(
    50,
    [1, 1_000_000],
    'Fewer requests after a reload say nothing.',
  ),
  'process.overload.eventLoopDelay': orOff(
    ms(
      200,
      [10, MINUTE],
      'How late the event loop is, averaged over a second, from which on new requests are refused; all of them at twice as much.',
    ),
  ),
  'process.overload.heapRatio': orOff(
    ratio(0.9, [0.1, 1], 'How full the heap is, by its limit, from which on new requests are refused.'),
  ),
  'logging.access.sample': ratio(
    1,
    [0, 1],
    'Share of the successful requests that is logged; failures always are.',
  ),

  'tracing.otlp.sample': ratio(
    0.01,
    [0, 1],
    'Share of the traces that begin here; those that come from outside are recorded as whoever began them has decided.',
  ),
  'tracing.otlp.timeout': ms(
    5 * SECOND,
    [100, MINUTE],
    'For one batch of spans; then it is tried again twice.',
  ),

  'listeners.limits.connections': orOff(
    count(10_000, [1, 1_000_000], 'Client connections of one listener; half of what the process takes.'),
  ),
  'listeners.limits.connectionsPerIp': orOff(
    count(
      256,
      [1, 1_000_000],
      'Connections of one IPv4 address or one IPv6 /64 network, so that nobody takes all; trusted proxies are exempt.',
    ),
  ),
  'listeners.limits.headBytes': bytes(
    32 * KIB,
    [512, MIB],
    'Request line and fields together; nginx allows 4 x 8 KiB.',
  ),
  'listeners.limits.headerCount': count(
    100,
    [1, 2_000],
    'Fields of one request; Envoy allows 100, HAProxy 101.',
  ),
  'listeners.limits.uriBytes': bytes(
    8 * KIB,
    [64, MIB],
    'The request target; RFC 9112 section 3 recommends to support at least 8000 bytes.',
  ),
  'listeners.limits.bodyBytes': orOff(
    bytes(
      100 * MIB,
      [1, 1_024 * GIB],
      'Request body, by Content-Length before a backend is asked, and by counting while it streams.',
    ),
  ),
  'listeners.limits.requestsPerConnection': orOff(
    count(
      10_000,
      [1, 1_000_000_000],
      'Then the connection is closed, so that clients spread again after a scale-out.',
    ),
  ),
  'listeners.timeouts.head': ms(
    10 * SECOND,
    [10, HOUR],
    'From the first byte of a request head to its last; ends slow-header attacks.',
  ),
  'listeners.timeouts.bodyIdle': orOff(
    ms(30 * SECOND, [10, DAY], 'Between two pieces of a body that the client sends, or reads.'),
  ),
  'listeners.timeouts.keepAliveIdle': ms(
    75 * SECOND,
    [10, DAY],
    'Longer than the 60 s of an AWS ALB, so that the load balancer closes first and loses no request.',
  ),
  'listeners.timeouts.request': orOff(
    ms(
      60 * SECOND,
      [10, DAY],
      'From the request being there in full to the head of the answer, all attempts and waits included.',
    ),
  ),
  'listeners.http2.maxConcurrentStreams': count(
    128,
    [1, 10_000],
    'Streams at once on one connection; RFC 9113 section 6.5.2 recommends at least 100, Node would allow 2^32 - 1.',
  ),
  'listeners.http2.windows.stream': bytes(
    64 * KIB,
    [64 * KIB, 16 * MIB],
    'Bytes of one upload in flight; the value of the edge guide of Envoy.',
  ),
  'listeners.http2.windows.connection': bytes(
    MIB,
    [64 * KIB, 64 * MIB],
    'Bytes of all uploads of one connection in flight; the value of the edge guide of Envoy.',
  ),

  'routes.timeouts.responseHead': orOff(
    ms(
      30 * SECOND,
      [10, DAY],
      'From an attempt having sent its request to the head of the answer; below the 60 s of most load balancers, so that clients get our 504 with its reason.',
    ),
  ),
  'routes.timeouts.responseIdle': orOff(
    ms(60 * SECOND, [10, DAY], 'Between two pieces of an answer of the backend.'),
  ),
  'routes.timeouts.tunnelIdle': orOff(
    ms(10 * MINUTE, [10, 30 * DAY], 'Without a byte either way in a WebSocket tunnel.'),
  ),
  'routes.retries.attempts': count(
    2,
    [0, 10],
    'Attempts after the first one; more would multiply the load of a cluster that is failing.',
  ),
  'routes.retries.perTry': offUnlessWritten(
    ms(0, [10, HOUR], 'From a connection being there to the head of the answer, for each attempt alone.'),
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
    'What is kept of an upload for another attempt; beyond it a body is sent once only.',
  ),
  'routes.rateLimits.burst': count(
    1,
    [1, 1_000_000],
    'Requests that may come at once before the rate counts; 1 means evenly spread.',
  ),
  'routes.forward.split.weight': count(1, [0, 1_000_000], 'Share of the requests; 0 gets none.'),

  'clusters.endpoints.weight': count(1, [0, 1_000], 'Share of the traffic; 0 gets none.'),
  'clusters.endpoints.tier': count(
    0,
    [0, 9],
    'Backups have a higher one: they serve only while the tiers below have nothing healthy.',
  ),
  'clusters.endpoints.resolve.refresh': ms(
    10 * SECOND,
    [SECOND, HOUR],
    'Longest time between two lookups of a name; sooner where its time to live is shorter.',
  ),
  'clusters.loadBalancing.slowStart': offUnlessWritten(
    ms(
      30 * SECOND,
      [100, HOUR],
      'How long an endpoint that comes back, or is added, takes to get its whole share; from a tenth, linear (Envoy).',
    ),
  ),
  'clusters.loadBalancing.panicBelow': offUnlessWritten(
    ratio(
      0.5,
      [0.01, 1],
      'With a smaller share of healthy endpoints all of them serve (Envoy: 50 %); off, because it sends requests to backends that are known to be down.',
    ),
  ),
  'clusters.pool.connections': count(128, [1, 65_535], 'Connections to one endpoint at once.'),
  'clusters.pool.queue': count(
    1_024,
    [0, 1_000_000],
    'Requests of a cluster that wait for a connection; more are refused at once (Envoy: 1024; behind 128 connections and 100 ms a response, that is 0.8 s of waiting).',
  ),
  'clusters.pool.queueTimeout': ms(SECOND, [1, HOUR], 'Longest wait for a connection, then 503.'),
  'clusters.pool.idle': ms(
    4 * SECOND,
    [100, HOUR],
    'Less than the 5 s after which Node.js backends close idle connections: a request written into a closing connection is lost.',
  ),
  'clusters.pool.maxRequests': orOff(
    count(1_000, [1, 1_000_000_000], 'Requests on one backend connection, then it is renewed (nginx: 1000).'),
  ),
  'clusters.pool.maxAge': orOff(
    ms(
      HOUR,
      [SECOND, 30 * DAY],
      'Age of a backend connection, with 10 % jitter, then it is renewed (nginx: 1 h).',
    ),
  ),
  'clusters.pool.connectTimeout': ms(
    3 * SECOND,
    [10, 10 * MINUTE],
    'Name lookup, TCP and TLS together (Caddy: 3 s).',
  ),
  'clusters.health.active.interval': ms(
    5 * SECOND,
    [100, HOUR],
    'Between two probes of an endpoint, with 20 % jitter.',
  ),
  'clusters.health.active.timeout': ms(
    2 * SECOND,
    [10, HOUR],
    'A probe without an answer has failed after this; the interval where that is shorter and nothing is written.',
  ),
  'clusters.health.active.healthyAfter': count(
    2,
    [1, 100],
    'Successes in a row until an endpoint is used again (HAProxy: rise 2).',
  ),
  'clusters.health.active.unhealthyAfter': count(
    3,
    [1, 100],
    'Failures in a row until an endpoint is not used (HAProxy: fall 3).',
  ),
  'clusters.health.passive.consecutiveFailures': count(
    5,
    [1, 10_000],
    'Failures of requests in a row that eject an endpoint (Envoy: 5).',
  ),
  'clusters.health.passive.failureRatio': offUnlessWritten(
    ratio(
      0.5,
      [0.01, 1],
      'Share of failures in the window that ejects an endpoint, beside failures in a row.',
    ),
  ),
  'clusters.health.passive.minRequests': count(
    20,
    [1, 1_000_000],
    'Fewer requests to an endpoint in the window say nothing about their share.',
  ),
  'clusters.health.passive.window': ms(10 * SECOND, [100, HOUR], 'Time over which that share is counted.'),
  'clusters.health.passive.ejectFor': ms(
    30 * SECOND,
    [100, HOUR],
    'First ejection; each further one is longer by as much, up to 5 minutes (Envoy: 30 s).',
  ),
  'clusters.health.passive.maxEjected': ratio(
    0.5,
    [0, 1],
    'Share of a cluster that may be out at once; the rest must carry the load.',
  ),
  'clusters.circuitBreaker.failureRatio': ratio(0.5, [0.01, 1], 'Share of failures that opens the circuit.'),
  'clusters.circuitBreaker.minRequests': count(
    20,
    [1, 1_000_000],
    'Fewer requests in the window say nothing.',
  ),
  'clusters.circuitBreaker.window': ms(10 * SECOND, [100, HOUR], 'Time over which failures are counted.'),
  'clusters.circuitBreaker.openFor': ms(
    5 * SECOND,
    [100, HOUR],
    'First pause of an open circuit; doubles with each failed probe, up to a minute.',
  ),
  'clusters.retryBudget.ratio': ratio(0.2, [0, 1], 'Retries for each request (Finagle and Envoy: 20 %).'),
  'clusters.retryBudget.minPerSecond': count(
    10,
    [0, 100_000],
    'Retries a second that are allowed however few requests there are (Finagle: 10).',
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
    'Whether a change of the file, or of a certificate, is applied by itself; SIGHUP always reloads.',
  ),
  'logging.level': choice(
    'info',
    LOG_LEVELS,
    'The least severe lines that are written; access lines have their own switch.',
  ),
  'logging.access.format': choice(
    'json',
    ['json', 'ecs', 'combined'],
    'Ours with everything, the Elastic Common Schema, or the combined format of Apache and nginx.',
  ),
  'tracing.propagate': choice(true, [true, false], 'Whether traceparent and tracestate are passed on.'),
  'tracing.start': choice(
    true,
    [true, false],
    'Whether a request that came without a trace gets one; off where backends must see nothing that their clients did not send.',
  ),
  'listeners.http2': choice(true, [true, false], 'Whether HTTP/2 is offered by ALPN; only with TLS.'),
  'listeners.h2c': choice(
    false,
    [true, false],
    'HTTP/2 in clear by prior knowledge (RFC 9113 section 3.3); off because few clients mean it.',
  ),
  'listeners.tls.minVersion': choice(
    'TLSv1.2',
    ['TLSv1.2', 'TLSv1.3'],
    'RFC 8996 has retired what is older.',
  ),
  'listeners.paths.dotSegments': choice(
    'reject',
    ['reject', 'resolve'],
    'What happens to a path with .. in it: proxies and backends disagree about it, which attackers use.',
  ),
  'listeners.paths.encodedSlash': choice(
    'keep',
    ['keep', 'reject'],
    'What happens to %2F in a path: kept, it is no separator here, but may be one to a backend.',
  ),
  'listeners.paths.slashes': choice(
    'keep',
    ['keep', 'fold', 'reject'],
    'Several slashes in a row: as they are, one for matching (the backend gets what came), or refused with 400.',
  ),
  'listeners.paths.semicolons': choice(
    'keep',
    ['keep', 'fold', 'reject'],
    'Parameters of a segment (/a;x=1): as they are, ignored for matching (the backend gets what came), or refused with 400.',
  ),
  'routes.redirect.status': choice(
    308,
    [301, 302, 303, 307, 308],
    'Permanent, and the method stays (RFC 9110 section 15.4.9).',
  ),
  'routes.rateLimits.mode': choice(
    'enforce',
    ['enforce', 'shadow'],
    'Whether the limit refuses, or only counts what it would refuse.',
  ),
  'clusters.protocol': choice(
    'http1',
    ['http1', 'http2', 'h2c'],
    'What the backends speak: HTTP/1.1, HTTP/2 over TLS, or HTTP/2 in clear.',
  ),
  'clusters.required': choice(
    false,
    [true, false],
    'Whether the process is ready only while the cluster has an endpoint that serves.',
  ),
  'clusters.tls.verify': choice(
    true,
    [true, false],
    'Whether the certificate of a backend is checked; without, anybody on the way can pose as it.',
  ),
  'clusters.loadBalancing.policy': choice(
    'leastRequests',
    ['roundRobin', 'leastRequests', 'random'],
    'Who gets the next request; the one of two random endpoints with fewer requests evens out slow ones.',
  ),
} as const satisfies Record<string, ChoiceSetting>;

/** Which failures are repeated, unless a route says otherwise: those of which the backend has seen nothing or little. */
export const RETRY_ON = ['connect', 'reset'] as const;
/** The answers to a probe that mean healthy: what a browser would be content with (Traefik: the same). */
export const HEALTHY_STATUSES = { min: 200, max: 399 };

export type NumberId = keyof typeof NUMBERS;
export type ChoiceId = keyof typeof CHOICES;
export type ChoiceValue<Id extends ChoiceId> = (typeof CHOICES)[Id]['options'][number];
