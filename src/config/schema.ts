/**
 * The shape of a configuration: strict objects, units resolved, bounds of `defaults.ts` enforced. What is absent
 * stays absent here; `compile.ts` writes the defaults out. Relations between fields are `validation.ts`'s.
 */
import { METHODS } from 'node:http';
import { z } from 'zod';
import { parseAddress } from '../net/endpoint.ts';
import { parseTemplate } from '../routing/pattern.ts';
import { compileRegex } from '../routing/regex.ts';
import { redirectProblem } from '../routing/rewrite.ts';
import { cidrProblem } from '../security/client_address.ts';
import { SETTINGS, type Setting, type SettingId } from './defaults.ts';
import { formatDuration, formatSize, parseDuration, parseRate, parseSize } from './units.ts';

// ---- leaves

/** A number with a unit and bounds: undefined if absent, null for `off`. */
function setting(id: SettingId) {
  const facts: Setting = SETTINGS[id];
  return z
    .union([z.string(), z.number(), z.literal(false)], { error: expected(facts) })
    .transform((value, context): number | null => {
      const result = readSetting(value, facts);
      if (typeof result !== 'string') return result;
      context.issues.push({ code: 'custom', message: result, input: value });
      return z.NEVER;
    })
    .optional()
    .meta({ description: describe(facts) });
}

function readSetting(value: string | number | false, facts: Setting): number | null | string {
  if (value === 'off' || value === false) return facts.off ? null : `this cannot be off; ${expected(facts)}`;
  if (value === 0 && facts.min > 0)
    return facts.off
      ? '0 means nothing here; write off to switch it off'
      : `0 is not allowed; ${expected(facts)}`;
  const number = readNumber(value, facts);
  if (typeof number === 'string') return number;
  if (number === 0 && facts.min > 0 && facts.off) return '0 means nothing here; write off to switch it off';
  if (number < facts.min || number > facts.max)
    return `must be between ${show(facts.min, facts)} and ${show(facts.max, facts)}`;
  return number;
}

function readNumber(value: string | number, facts: Setting): number | string {
  if (facts.unit === 'ms')
    return typeof value === 'string'
      ? parseDuration(value)
      : value === 0
        ? 0
        : `a duration needs a unit; write ${value}s or ${value}ms`;
  if (facts.unit === 'bytes')
    return typeof value === 'string'
      ? parseSize(value)
      : value === 0
        ? 0
        : `a size needs a unit; write ${value}KiB or ${value}MiB`;
  if (typeof value === 'string') return expected(facts);
  return facts.unit === 'count' && !Number.isInteger(value) ? 'must be a whole number' : value;
}

function expected({ unit, off }: Setting): string {
  const what = {
    ms: 'a duration such as 30s',
    bytes: 'a size such as 16KiB',
    count: 'a whole number',
    ratio: 'a number between 0 and 1',
  }[unit];
  return `expected ${what}${off ? ', or off' : ''}`;
}

function show(value: number, { unit }: Setting): string {
  if (unit === 'ms') return formatDuration(value);
  return unit === 'bytes' ? formatSize(value) : String(value);
}

function describe(facts: Setting): string {
  const shown = facts.value === null ? 'off' : show(facts.value, facts);
  return `${facts.why} Default ${shown}; from ${show(facts.min, facts)} to ${show(facts.max, facts)}${facts.off ? ', or off' : ''}.`;
}

/** A text that a function of ours can refuse with a reason. */
function text(problemOf: (value: string) => string | null, error = 'expected a text') {
  return z.string({ error }).superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

const addressText = text(value => {
  const address = parseAddress(value);
  return typeof address === 'string' ? `"${value}" is no address: ${address}` : null;
}, 'expected an address such as 127.0.0.1:8080');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Fields of the connection are the proxy's own affair (RFC 9110 section 7.6.1); framing must not be edited at all. */
const NOT_EDITABLE = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'trailer',
  'host',
]);

const headerName = text(
  value => (TOKEN.test(value) ? null : `"${value}" is no field name (RFC 9110 section 5.1)`),
  'expected a field name',
);
const editableName = text(value => {
  if (!TOKEN.test(value)) return `"${value}" is no field name (RFC 9110 section 5.1)`;
  if (value.toLowerCase() === 'host') return 'Host is set by rewrite.host';
  return NOT_EDITABLE.has(value.toLowerCase())
    ? `${value} belongs to the connection or to the framing and cannot be edited`
    : null;
});
const headerValue = text(
  value =>
    /[^\t\x20-\x7e\x80-\xff]/.test(value)
      ? 'a field value holds no control characters and no characters beyond Latin-1'
      : null,
  'expected a text',
);
const regexText = text(value => {
  const regex = compileRegex(value);
  return typeof regex === 'string' ? `not a regex that can be used: ${regex}` : null;
});
const pathText = text(
  value =>
    value.startsWith('/') && !/[?#\s]/.test(value) ? null : 'a path begins with / and holds no ?, # or space',
  'expected a path',
);
const cidr = text(value => {
  const problem = cidrProblem(value);
  return problem === null ? null : `"${value}": ${problem}`;
});
const hostPattern = text(value => {
  if (/:\d+$/.test(value)) return 'a host is matched without its port; leave the port away';
  return /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$|^\[[0-9a-fA-F:.]+\]$/.test(value)
    ? null
    : `"${value}" is no host name; a wildcard is *. and a name`;
});

/** A key of the contract whose feature comes later: refused, not ignored. */
function later(what: string) {
  return z
    .unknown()
    .superRefine((_, context) =>
      context.addIssue({
        code: 'custom',
        message: `${what} is not supported yet; remove it`,
        params: { later: true },
      }),
    )
    .optional()
    .meta({ description: 'Not supported yet.' });
}

const names = <T extends z.ZodType>(schema: T) =>
  z.record(
    text(name =>
      /^[A-Za-z0-9_-]{1,64}$/.test(name)
        ? null
        : `"${name}" is no name; use letters, digits, - and _ (at most 64)`,
    ),
    schema,
  );

const accessLists = z.strictObject({ allow: z.array(cidr).optional(), deny: z.array(cidr).optional() });

// ---- process

const processSchema = z.strictObject({
  drain: z
    .strictObject({ delay: setting('process.drain.delay'), timeout: setting('process.drain.timeout') })
    .optional(),
  reload: z
    .strictObject({
      watch: z.boolean().optional(),
      history: setting('process.reload.history'),
      probation: z
        .union([z.literal('off'), z.literal(false)], {
          error: 'probation is not supported yet; write off or remove it',
        })
        .optional(),
    })
    .optional(),
  overload: later('process.overload'),
  connections: setting('process.connections'),
});

const loggingSchema = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  access: z
    .union(
      [
        z.literal('off'),
        z.literal(false),
        z.strictObject({
          format: z.literal('json', { error: 'the only format that is supported yet is json' }).optional(),
          sample: setting('logging.access.sample'),
          redactQuery: z.array(z.string()).optional(),
        }),
      ],
      { error: 'expected off, or an object with format, sample and redactQuery' },
    )
    .optional(),
});

// ---- listeners

const tlsServerSchema = z.strictObject({
  certificates: z
    .array(z.strictObject({ certFile: z.string(), keyFile: z.string() }))
    .min(1, 'at least one certificate is needed')
    .max(1, 'more than one certificate is not supported yet'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).optional(),
  clientCertificate: z
    .strictObject({
      mode: z.literal('none', {
        error: 'client certificates are not supported yet; write none or remove it',
      }),
      caFile: z.string().optional(),
    })
    .optional(),
});

const listenerSchema = z.strictObject({
  address: addressText,
  preset: later('preset'),
  tls: tlsServerSchema.optional(),
  http2: z
    .union([z.boolean(), z.strictObject({ maxConcurrentStreams: setting('http2.maxConcurrentStreams') })], {
      error: 'expected true, false, or { maxConcurrentStreams: 128 }',
    })
    .optional(),
  h2c: z.boolean().optional(),
  proxyProtocol: later('proxyProtocol'),
  trustedProxies: z.array(cidr).optional(),
  limits: z
    .strictObject({
      connections: setting('listener.connections'),
      connectionsPerIp: setting('listener.connectionsPerIp'),
      headBytes: setting('listener.headBytes'),
      headerCount: setting('listener.headerCount'),
      uriBytes: setting('listener.uriBytes'),
      bodyBytes: setting('listener.bodyBytes'),
      requestsPerConnection: setting('listener.requestsPerConnection'),
    })
    .optional(),
  timeouts: z
    .strictObject({
      head: setting('listener.head'),
      bodyIdle: setting('listener.bodyIdle'),
      keepAliveIdle: setting('listener.keepAliveIdle'),
      request: setting('listener.request'),
    })
    .optional(),
  access: accessLists.optional(),
  healthPath: pathText.optional(),
  paths: z
    .strictObject({
      dotSegments: z.enum(['reject', 'resolve']).optional(),
      encodedSlash: z.enum(['keep', 'reject']).optional(),
    })
    .optional(),
});

// ---- routes

const textMatch = z.union(
  [
    z.string(),
    z.strictObject({ regex: regexText }),
    z.strictObject({ present: z.literal(true) }),
    z.strictObject({ absent: z.literal(true) }),
  ],
  { error: 'expected a text, { regex: ... }, { present: true } or { absent: true }' },
);

const matchSchema = z.strictObject({
  hosts: z.array(hostPattern).min(1, 'without hosts every host matches; remove the empty list').optional(),
  path: z
    .strictObject({
      exact: pathText.optional(),
      prefix: pathText.optional(),
      template: text(value => {
        const template = parseTemplate(value);
        return typeof template === 'string' ? template : null;
      }).optional(),
      regex: regexText.optional(),
    })
    .superRefine((value, context) => {
      if (Object.keys(value).length !== 1)
        context.addIssue({
          code: 'custom',
          message: 'a path is exactly one of exact, prefix, template and regex',
        });
    })
    .optional(),
  methods: z
    .array(
      text(value =>
        METHODS.includes(value) && value !== 'CONNECT'
          ? null
          : `"${value}" is no method that can be routed; methods are upper case`,
      ),
    )
    .min(1, 'without methods every method matches; remove the empty list')
    .optional(),
  headers: z.record(headerName, textMatch).optional(),
  query: z.record(z.string(), textMatch).optional(),
});

const edits = z.strictObject({
  set: z.record(editableName, headerValue).optional(),
  add: z.record(editableName, headerValue).optional(),
  remove: z.array(editableName).optional(),
});

const RETRY_ON = /^(?:connect|reset|[45]\d\d)$/;

const rateLimitSchema = z.strictObject({
  key: text(value =>
    /^(?:clientIp|route|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/.test(value)
      ? null
      : 'expected clientIp, route or header:NAME',
  ),
  rate: z.string().transform((value, context) => {
    const rate = parseRate(value);
    if (typeof rate !== 'string') return rate;
    context.issues.push({ code: 'custom', message: rate, input: value });
    return z.NEVER;
  }),
  burst: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000_000, 'must be at most 1000000')
    .optional(),
  mode: z.enum(['enforce', 'shadow']).optional(),
  store: z
    .literal('local', { error: 'shared stores are not supported yet; write local or remove it' })
    .optional(),
});

const status = (min: number, max: number) =>
  z
    .int(`expected a status from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

const routeSchema = z.strictObject({
  name: text(name =>
    /^[A-Za-z0-9_-]{1,64}$/.test(name)
      ? null
      : `"${name}" is no name; use letters, digits, - and _ (at most 64)`,
  ),
  listeners: z
    .array(z.string())
    .min(1, 'without listeners the route is served on all; remove the empty list')
    .optional(),
  match: matchSchema.optional(),
  forward: z
    .strictObject({
      cluster: z.string().optional(),
      split: z
        .array(
          z.strictObject({
            cluster: z.string(),
            weight: z.int('must be a whole number').min(0).max(1_000_000),
          }),
        )
        .min(1)
        .optional(),
      mirror: later('mirror'),
    })
    .optional(),
  redirect: z
    .strictObject({
      status: z
        .literal([301, 302, 303, 307, 308], { error: 'expected 301, 302, 303, 307 or 308' })
        .optional(),
      to: text(redirectProblem),
    })
    .optional(),
  respond: z
    .strictObject({
      status: status(200, 599),
      headers: z.record(editableName, headerValue).optional(),
      body: z.string().optional(),
    })
    .optional(),
  rewrite: z
    .strictObject({
      stripPrefix: pathText.optional(),
      addPrefix: pathText.optional(),
      replacePath: pathText.optional(),
      regex: z.strictObject({ pattern: regexText, with: z.string() }).optional(),
      host: text(value => (/^[A-Za-z0-9._\-[\]:]+$/.test(value) ? null : `"${value}" is no host`)).optional(),
    })
    .optional(),
  headers: z.strictObject({ request: edits.optional(), response: edits.optional() }).optional(),
  timeouts: z
    .strictObject({
      request: setting('listener.request'),
      responseHead: setting('route.responseHead'),
      responseIdle: setting('route.responseIdle'),
      tunnelIdle: setting('route.tunnelIdle'),
    })
    .optional(),
  retries: z
    .strictObject({
      attempts: setting('retries.attempts'),
      on: z
        .array(
          z
            .union([z.string(), z.number()])
            .transform(String)
            .pipe(
              text(value =>
                RETRY_ON.test(value) ? null : `"${value}" is not connect, reset or a status from 400 to 599`,
              ),
            ),
        )
        .optional(),
      perTry: setting('retries.perTry'),
      backoff: z
        .strictObject({ base: setting('retries.backoff.base'), max: setting('retries.backoff.max') })
        .optional(),
      replayBytes: setting('retries.replayBytes'),
    })
    .optional(),
  rateLimits: z.array(rateLimitSchema).max(10, 'at most ten limits on a route').optional(),
  cors: later('cors'),
  access: accessLists.optional(),
  basicAuth: later('basicAuth'),
  compress: z
    .union([z.literal('off'), z.literal(false)], {
      error: 'compress is not supported yet; write off or remove it',
    })
    .optional(),
  limits: z.strictObject({ bodyBytes: setting('listener.bodyBytes') }).optional(),
});

// ---- clusters

const endpointAddress = text(value => {
  const address = parseAddress(value);
  if (typeof address === 'string') return `"${value}" is no address: ${address}`;
  if (address.kind === 'fd') return 'a descriptor is a place to listen, not a backend';
  return address.kind === 'tcp' && address.port === 0 ? 'a backend has a port from 1 to 65535' : null;
}, 'expected an address such as 127.0.0.1:9000');

const expectText = text(value => {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(value);
  return match !== null && Number(match[2] ?? match[1]) >= Number(match[1])
    ? null
    : 'expected a status or a range such as 200-399';
});

const clusterSchema = z.strictObject({
  endpoints: z
    .array(
      z.union(
        [
          endpointAddress,
          z.strictObject({
            address: endpointAddress,
            weight: setting('endpoint.weight'),
            resolve: later('resolve'),
            tier: later('tier'),
          }),
        ],
        { error: 'expected an address such as 127.0.0.1:9000, or { address: ..., weight: ... }' },
      ),
    )
    .min(1, 'a cluster has at least one endpoint')
    .max(10_000, 'a cluster has at most 10000 endpoints'),
  protocol: z.enum(['http1', 'http2', 'h2c']).optional(),
  tls: z
    .strictObject({
      verify: z.boolean().optional(),
      serverName: z.string().optional(),
      caFile: z.string().optional(),
      certFile: z.string().optional(),
      keyFile: z.string().optional(),
    })
    .optional(),
  loadBalancing: z
    .strictObject({
      policy: z
        .enum(['roundRobin', 'leastRequests', 'random'], {
          error:
            'expected roundRobin, leastRequests or random (peakEwma and consistentHash are not supported yet)',
        })
        .optional(),
      slowStart: later('slowStart'),
      panicBelow: later('panicBelow'),
      sticky: later('sticky'),
    })
    .optional(),
  pool: z
    .strictObject({
      connections: setting('pool.connections'),
      queue: setting('pool.queue'),
      queueTimeout: setting('pool.queueTimeout'),
      idle: setting('pool.idle'),
      maxRequests: setting('pool.maxRequests'),
      maxAge: setting('pool.maxAge'),
      connectTimeout: setting('pool.connectTimeout'),
    })
    .optional(),
  health: z
    .strictObject({
      active: z
        .union(
          [
            z.literal('off'),
            z.literal(false),
            z.strictObject({
              path: pathText.optional(),
              tcp: z.literal(true).optional(),
              interval: setting('health.active.interval'),
              timeout: setting('health.active.timeout'),
              healthyAfter: setting('health.active.healthyAfter'),
              unhealthyAfter: setting('health.active.unhealthyAfter'),
              expect: expectText.optional(),
            }),
          ],
          { error: 'expected off, or an object with path or tcp, interval, timeout, ...' },
        )
        .optional(),
      passive: z
        .union(
          [
            z.literal('off'),
            z.literal(false),
            z.strictObject({
              consecutiveFailures: setting('health.passive.consecutiveFailures'),
              ejectFor: setting('health.passive.ejectFor'),
              maxEjected: setting('health.passive.maxEjected'),
            }),
          ],
          { error: 'expected off, or an object with consecutiveFailures, ejectFor and maxEjected' },
        )
        .optional(),
    })
    .optional(),
  circuitBreaker: z
    .strictObject({
      failureRatio: setting('circuitBreaker.failureRatio'),
      minRequests: setting('circuitBreaker.minRequests'),
      window: setting('circuitBreaker.window'),
      openFor: setting('circuitBreaker.openFor'),
    })
    .optional(),
  retryBudget: z
    .strictObject({ ratio: setting('retryBudget.ratio'), minPerSecond: setting('retryBudget.minPerSecond') })
    .optional(),
  required: later('required'),
});

// ---- the whole

export const configSchema = z.strictObject({
  version: z.literal(1, { error: 'version must be 1' }),
  admin: z
    .union(
      [
        z.literal('off'),
        z.literal(false),
        z.strictObject({ address: z.union([z.literal('off'), z.literal(false), addressText]).optional() }),
      ],
      { error: 'expected { address: 127.0.0.1:9901 }, or off' },
    )
    .optional(),
  process: processSchema.optional(),
  logging: loggingSchema.optional(),
  tracing: z.strictObject({ propagate: z.boolean().optional(), otlp: later('tracing.otlp') }).optional(),
  listeners: names(listenerSchema),
  routes: z.array(routeSchema).max(20_000, 'at most 20000 routes'),
  clusters: names(clusterSchema).optional(),
  stores: later('stores'),
});

export type Config = z.output<typeof configSchema>;
export type ListenerConfig = Config['listeners'][string];
export type RouteConfig = Config['routes'][number];
export type ClusterConfig = NonNullable<Config['clusters']>[string];

/** JSON Schema (draft 2020-12) of what may be written. */
export function schemaJson(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
}
