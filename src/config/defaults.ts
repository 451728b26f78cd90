/**
 * Every setting that is a number: its default, its bounds, and why. The only place where these facts stand; the
 * schema, the compiler, the messages and the reference read them from here. Null is `off`: no limit.
 */

export type Unit = 'ms' | 'bytes' | 'count' | 'ratio';

export interface Setting {
  readonly unit: Unit;
  readonly value: number | null;
  readonly min: number;
  readonly max: number;
  /** `off` may be written. */
  readonly off: boolean;
  readonly why: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KIB = 1_024;
const MIB = 1_024 * KIB;

function ms(value: number | null, min: number, max: number, why: string, off = false): Setting {
  return { unit: 'ms', value, min, max, off, why };
}
function bytes(value: number | null, min: number, max: number, why: string, off = false): Setting {
  return { unit: 'bytes', value, min, max, off, why };
}
function count(value: number | null, min: number, max: number, why: string, off = false): Setting {
  return { unit: 'count', value, min, max, off, why };
}
function ratio(value: number, min: number, max: number, why: string): Setting {
  return { unit: 'ratio', value, min, max, off: false, why };
}

export const SETTINGS = {
  'process.drain.delay': ms(
    0,
    0,
    HOUR_MS,
    'How long traffic still flows after readiness has turned to no, so that a load balancer notices first.',
  ),
  'process.drain.timeout': ms(
    30_000,
    1,
    DAY_MS,
    'When requests under way are ended by force at shutdown; service managers wait 90 s by default.',
  ),
  'process.reload.history': count(5, 1, 50, 'Plans that stay in memory.'),
  'process.connections': count(
    20_000,
    1,
    1_000_000,
    'All client connections of the process; each costs a descriptor and some 20 KiB.',
  ),
  'logging.access.sample': ratio(
    1,
    0,
    1,
    'Share of successful requests that is logged; failures always are.',
  ),

  'listener.connections': count(10_000, 1, 1_000_000, 'Client connections of one listener.', true),
  'listener.connectionsPerIp': count(
    256,
    1,
    1_000_000,
    'Connections of one IPv4 address or IPv6 /64 network.',
    true,
  ),
  'listener.headBytes': bytes(
    32 * KIB,
    512,
    MIB,
    'Request line and fields together; nginx allows 4 x 8 KiB.',
  ),
  'listener.headerCount': count(100, 1, 2_000, 'Fields of a request; Envoy and HAProxy allow 100 and 101.'),
  'listener.uriBytes': bytes(
    8 * KIB,
    64,
    MIB,
    'Request target; RFC 9112 section 3 recommends at least 8000.',
  ),
  'listener.bodyBytes': bytes(
    100 * MIB,
    1,
    1_024 ** 5,
    'Request body, by Content-Length before a backend is asked, and by counting.',
    true,
  ),
  'listener.requestsPerConnection': count(
    10_000,
    1,
    1_000_000_000,
    'Then the connection is closed, so that clients spread again after a scale-out.',
    true,
  ),
  'listener.head': ms(
    10_000,
    10,
    HOUR_MS,
    'First byte to last byte of a request head; ends slow-header attacks.',
  ),
  'listener.bodyIdle': ms(
    30_000,
    10,
    DAY_MS,
    'Between two pieces of a body that the client sends or reads.',
    true,
  ),
  'listener.keepAliveIdle': ms(
    75_000,
    10,
    DAY_MS,
    'Longer than the 60 s after which an AWS ALB closes, so that the load balancer closes first.',
  ),
  'listener.request': ms(
    60_000,
    10,
    DAY_MS,
    'From the whole request to the head of the answer, all attempts and waits included.',
    true,
  ),
  'http2.maxConcurrentStreams': count(
    128,
    1,
    10_000,
    'Streams at once on one connection; RFC 9113 section 6.5.2 recommends at least 100.',
  ),
  'http2.streamWindowBytes': bytes(
    64 * KIB,
    64 * KIB - 1,
    16 * MIB,
    'Bytes of one upload in flight; the value of Envoy’s edge guide.',
  ),
  'http2.connectionWindowBytes': bytes(
    MIB,
    64 * KIB - 1,
    64 * MIB,
    'Bytes of all uploads of a connection in flight; the value of Envoy’s edge guide.',
  ),

  'route.responseHead': ms(
    30_000,
    10,
    DAY_MS,
    'From the request being sent to the head of the answer.',
    true,
  ),
  'route.responseIdle': ms(60_000, 10, DAY_MS, 'Between two pieces of an answer.', true),
  'route.tunnelIdle': ms(600_000, 10, 30 * DAY_MS, 'No byte either way in a WebSocket tunnel.', true),
  'retries.attempts': count(
    2,
    0,
    10,
    'Attempts after the first one; more would multiply the load of a failing cluster.',
  ),
  'retries.perTry': ms(
    null,
    10,
    HOUR_MS,
    'From a connection being there to the head of the answer, for one attempt.',
    true,
  ),
  'retries.backoff.base': ms(25, 1, 60_000, 'Envoy: 25 ms, full jitter.'),
  'retries.backoff.max': ms(250, 1, 600_000, 'Envoy: ten times the base.'),
  'retries.replayBytes': bytes(
    64 * KIB,
    0,
    16 * MIB,
    'What is kept of an upload for another attempt; beyond it the body is sent once only.',
  ),

  'endpoint.weight': count(1, 0, 1_000, 'Share of the traffic; 0 takes none.'),
  'pool.connections': count(128, 1, 65_535, 'Connections to one endpoint.'),
  'pool.queue': count(128, 0, 1_000_000, 'Requests of a cluster that wait for a connection.'),
  'pool.queueTimeout': ms(1_000, 1, HOUR_MS, 'Longest wait for a connection.'),
  'pool.idle': ms(
    4_000,
    100,
    HOUR_MS,
    'Less than the 5 s after which Node.js backends close idle connections: a request written into a closing connection is lost.',
  ),
  'pool.maxRequests': count(
    1_000,
    1,
    1_000_000_000,
    'Requests on one backend connection (nginx: 1000).',
    true,
  ),
  'pool.maxAge': ms(
    HOUR_MS,
    1_000,
    30 * DAY_MS,
    'Age of a backend connection, with 10 % jitter (nginx: 1 h).',
    true,
  ),
  'pool.connectTimeout': ms(3_000, 10, 600_000, 'Name lookup, TCP and TLS together (Caddy: 3 s).'),
  'health.active.interval': ms(5_000, 100, HOUR_MS, 'Between two probes of an endpoint, with 20 % jitter.'),
  'health.active.timeout': ms(2_000, 10, HOUR_MS, 'A probe without an answer has failed after this.'),
  'health.active.healthyAfter': count(
    2,
    1,
    100,
    'Successes in a row until an endpoint is used again (HAProxy: rise 2).',
  ),
  'health.active.unhealthyAfter': count(3, 1, 100, 'Failures in a row until it is not (HAProxy: fall 3).'),
  'health.passive.consecutiveFailures': count(
    5,
    1,
    10_000,
    'Failures in a row that eject an endpoint (Envoy: 5).',
  ),
  'health.passive.ejectFor': ms(
    30_000,
    100,
    HOUR_MS,
    'First ejection; each further one is longer by as much, up to 5 minutes (Envoy).',
  ),
  'health.passive.maxEjected': ratio(0.5, 0, 1, 'Share of a cluster that may be out at once.'),
  'circuitBreaker.failureRatio': ratio(0.5, 0.01, 1, 'Share of failures that opens the circuit.'),
  'circuitBreaker.minRequests': count(20, 1, 1_000_000, 'Fewer requests in the window say nothing.'),
  'circuitBreaker.window': ms(10_000, 100, HOUR_MS, 'Time over which failures are counted.'),
  'circuitBreaker.openFor': ms(
    5_000,
    100,
    HOUR_MS,
    'First pause; doubles with each failed probe, up to a minute.',
  ),
  'retryBudget.ratio': ratio(0.2, 0, 1, 'Retries per request (Finagle and Envoy: 20 %).'),
  'retryBudget.minPerSecond': count(
    10,
    0,
    100_000,
    'Retries a second that are always allowed (Finagle: 10).',
  ),
} as const satisfies Record<string, Setting>;

export type SettingId = keyof typeof SETTINGS;
