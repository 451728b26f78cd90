/**
 * A valid configuration becomes the frozen plan: defaults written out, units resolved, references bound, files
 * read, routes sorted. The origin of each value is noted on the way: the place in the file, or `default`.
 */

import type { ListenerSettings } from '../http/listener_settings.ts';
import type { ClusterSettings } from '../load_balancer/backend.ts';
import { type Address, parseAddress } from '../net/endpoint.ts';
import type { ClientTlsSettings } from '../net/tls.ts';
import { compareRoutes } from '../routing/matcher.ts';
import type {
  NamedMatch,
  RouteAction,
  RouteLimits,
  RouteMatch,
  RouteSettings,
  TextMatch,
} from '../routing/route.ts';
import type { HeaderEdits } from '../security/headers.ts';
import { decodeUnreserved } from '../security/path.ts';
import type { RateLimitSettings } from '../security/rate_limit.ts';
import type { Document, Path } from './document.ts';
import { seal } from './freeze.ts';
import type { Materials } from './materials.ts';
import { Origins } from './origins.ts';
import type { Plan } from './plan.ts';
import type { ClusterConfig, Config, ListenerConfig, RouteConfig } from './schema.ts';

export interface Compiled {
  readonly plan: Plan;
  /** Path in the plan (`listeners.main.headMs`) to `file:line:col` or `default`. */
  readonly origins: ReadonlyMap<string, string>;
}

export function compile(config: Config, document: Document, materials: Materials): Compiled {
  const origins = new Origins(document);
  const listeners = mapValues(config.listeners, (listener, name) =>
    compileListener(name, listener, origins, materials),
  );
  const clusters = mapValues(config.clusters ?? {}, (cluster, name) =>
    compileCluster(name, cluster, origins, materials),
  );
  const compiled = config.routes.map((route, at) =>
    compileRoute(route, ['routes', at], listeners, config, origins),
  );
  const plan = seal({
    version: 1,
    admin: { address: compileAdmin(config, origins) },
    process: compileProcess(config, origins),
    logging: compileLogging(config, origins),
    tracing: {
      propagate: origins.value(
        'tracing.propagate',
        ['tracing', 'propagate'],
        config.tracing?.propagate,
        true,
      ),
    },
    listeners,
    routes: compiled.sort(compareRoutes),
    clusters,
  });
  return { plan, origins: origins.all };
}

function compileAdmin({ admin }: Config, origins: Origins): Address | null {
  const written = typeof admin === 'object' ? admin.address : admin;
  if (written === undefined) {
    origins.note('admin.address', null);
    return null;
  }
  origins.note('admin.address', typeof admin === 'object' ? ['admin', 'address'] : ['admin']);
  return written === 'off' || written === false ? null : address(written);
}

function compileProcess({ process }: Config, origins: Origins): Plan['process'] {
  const path = ['process'];
  return {
    drain: {
      delayMs: origins.number(
        'process.drain.delayMs',
        [...path, 'drain', 'delay'],
        process?.drain?.delay,
        'process.drain.delay',
      ),
      timeoutMs: origins.number(
        'process.drain.timeoutMs',
        [...path, 'drain', 'timeout'],
        process?.drain?.timeout,
        'process.drain.timeout',
      ),
    },
    reload: {
      watch: origins.value(
        'process.reload.watch',
        [...path, 'reload', 'watch'],
        process?.reload?.watch,
        true,
      ),
      historyMax: origins.number(
        'process.reload.historyMax',
        [...path, 'reload', 'history'],
        process?.reload?.history,
        'process.reload.history',
      ),
    },
    connectionsMax: origins.number(
      'process.connectionsMax',
      [...path, 'connections'],
      process?.connections,
      'process.connections',
    ),
  };
}

function compileLogging({ logging }: Config, origins: Origins): Plan['logging'] {
  const access = typeof logging?.access === 'object' ? logging.access : undefined;
  const path = ['logging', 'access'];
  return {
    level: origins.value('logging.level', ['logging', 'level'], logging?.level, 'info'),
    access: {
      enabled: origins.value(
        'logging.access.enabled',
        path,
        logging?.access === undefined ? undefined : access !== undefined,
        true,
      ),
      sample: origins.number(
        'logging.access.sample',
        [...path, 'sample'],
        access?.sample,
        'logging.access.sample',
      ),
      redactQuery: origins.value(
        'logging.access.redactQuery',
        [...path, 'redactQuery'],
        access?.redactQuery,
        [],
      ),
    },
  };
}

// ---- listeners

function compileListener(
  name: string,
  listener: ListenerConfig,
  origins: Origins,
  materials: Materials,
): ListenerSettings {
  const scope = origins.scope(`listeners.${name}`, ['listeners', name]);
  const { limits, timeouts, paths } = listener;
  const http2 = typeof listener.http2 === 'object' ? listener.http2 : undefined;
  return {
    name,
    address: scope.value('address', ['address'], address(listener.address), address(listener.address)),
    tls:
      listener.tls === undefined
        ? scope.value('tls', ['tls'], undefined, null)
        : {
            certificates: listener.tls.certificates.map(({ certFile, keyFile }, at) =>
              materials.readPair(certFile, keyFile, ['listeners', name, 'tls', 'certificates', at]),
            ),
            minVersion: scope.value(
              'tls.minVersion',
              ['tls', 'minVersion'],
              listener.tls.minVersion,
              'TLSv1.2',
            ),
          },
    http2: scope.value(
      'http2',
      ['http2'],
      listener.http2 === undefined ? undefined : listener.http2 !== false,
      true,
    ),
    h2c: scope.value('h2c', ['h2c'], listener.h2c, false),
    connectionsMax: scope.limit(
      'connectionsMax',
      ['limits', 'connections'],
      limits?.connections,
      'listener.connections',
    ),
    connectionsPerIpMax: scope.limit(
      'connectionsPerIpMax',
      ['limits', 'connectionsPerIp'],
      limits?.connectionsPerIp,
      'listener.connectionsPerIp',
    ),
    trustedProxies: scope.value('trustedProxies', ['trustedProxies'], listener.trustedProxies, []),
    access: compileAccess(listener.access),
    healthPath: scope.value('healthPath', ['healthPath'], listener.healthPath, null),
    paths: {
      dotSegments: scope.value('paths.dotSegments', ['paths', 'dotSegments'], paths?.dotSegments, 'reject'),
      encodedSlash: scope.value('paths.encodedSlash', ['paths', 'encodedSlash'], paths?.encodedSlash, 'keep'),
    },
    head: {
      headBytesMax: scope.number(
        'head.headBytesMax',
        ['limits', 'headBytes'],
        limits?.headBytes,
        'listener.headBytes',
      ),
      headerCountMax: scope.number(
        'head.headerCountMax',
        ['limits', 'headerCount'],
        limits?.headerCount,
        'listener.headerCount',
      ),
      uriBytesMax: scope.number(
        'head.uriBytesMax',
        ['limits', 'uriBytes'],
        limits?.uriBytes,
        'listener.uriBytes',
      ),
    },
    requestsMax: scope.limit(
      'requestsMax',
      ['limits', 'requestsPerConnection'],
      limits?.requestsPerConnection,
      'listener.requestsPerConnection',
    ),
    headMs: scope.number('headMs', ['timeouts', 'head'], timeouts?.head, 'listener.head'),
    keepAliveIdleMs: scope.number(
      'keepAliveIdleMs',
      ['timeouts', 'keepAliveIdle'],
      timeouts?.keepAliveIdle,
      'listener.keepAliveIdle',
    ),
    http2Settings: {
      streamsMax: scope.number(
        'http2Settings.streamsMax',
        ['http2', 'maxConcurrentStreams'],
        http2?.maxConcurrentStreams,
        'http2.maxConcurrentStreams',
      ),
      streamWindowBytes: scope.number(
        'http2Settings.streamWindowBytes',
        null,
        undefined,
        'http2.streamWindowBytes',
      ),
      connectionWindowBytes: scope.number(
        'http2Settings.connectionWindowBytes',
        null,
        undefined,
        'http2.connectionWindowBytes',
      ),
    },
    limits: {
      requestMs: scope.limit(
        'limits.requestMs',
        ['timeouts', 'request'],
        timeouts?.request,
        'listener.request',
      ),
      bodyIdleMs: scope.limit(
        'limits.bodyIdleMs',
        ['timeouts', 'bodyIdle'],
        timeouts?.bodyIdle,
        'listener.bodyIdle',
      ),
      bodyBytesMax: scope.limit(
        'limits.bodyBytesMax',
        ['limits', 'bodyBytes'],
        limits?.bodyBytes,
        'listener.bodyBytes',
      ),
    },
  };
}

// ---- routes

function compileRoute(
  route: RouteConfig,
  path: Path,
  listeners: Readonly<Record<string, ListenerSettings>>,
  config: Config,
  origins: Origins,
): RouteSettings {
  const scope = origins.scope(`routes.${route.name}`, path);
  const { timeouts, retries, rewrite } = route;
  const served = [...(route.listeners ?? Object.keys(listeners))].sort();
  return {
    name: route.name,
    match: compileMatch(route.match),
    action: compileAction(route),
    rewrite: {
      replacePath: scope.value('rewrite.replacePath', ['rewrite', 'replacePath'], rewrite?.replacePath, null),
      stripPrefix: scope.value('rewrite.stripPrefix', ['rewrite', 'stripPrefix'], rewrite?.stripPrefix, null),
      regex: scope.value('rewrite.regex', ['rewrite', 'regex'], rewrite?.regex, null),
      addPrefix: scope.value('rewrite.addPrefix', ['rewrite', 'addPrefix'], rewrite?.addPrefix, null),
      host: scope.value('rewrite.host', ['rewrite', 'host'], rewrite?.host, null),
    },
    headers: {
      request: compileEdits(route.headers?.request),
      response: compileEdits(route.headers?.response),
    },
    listeners: Object.fromEntries(
      served.map(name => [name, combineLimits(route, path, name, listeners[name], config, origins)]),
    ),
    responseHeadMs: scope.limit(
      'responseHeadMs',
      ['timeouts', 'responseHead'],
      timeouts?.responseHead,
      'route.responseHead',
    ),
    responseIdleMs: scope.limit(
      'responseIdleMs',
      ['timeouts', 'responseIdle'],
      timeouts?.responseIdle,
      'route.responseIdle',
    ),
    tunnelIdleMs: scope.limit(
      'tunnelIdleMs',
      ['timeouts', 'tunnelIdle'],
      timeouts?.tunnelIdle,
      'route.tunnelIdle',
    ),
    retries: {
      attemptsMax: scope.number(
        'retries.attemptsMax',
        ['retries', 'attempts'],
        retries?.attempts,
        'retries.attempts',
      ),
      onConnect: scope.value('retries.onConnect', ['retries', 'on'], retries?.on?.includes('connect'), true),
      onReset: scope.value('retries.onReset', ['retries', 'on'], retries?.on?.includes('reset'), true),
      onStatuses: scope.value(
        'retries.onStatuses',
        ['retries', 'on'],
        retries?.on?.filter(item => /^\d+$/.test(item)).map(Number),
        [],
      ),
      perTryMs: scope.limit('retries.perTryMs', ['retries', 'perTry'], retries?.perTry, 'retries.perTry'),
      backoff: {
        baseMs: scope.number(
          'retries.backoff.baseMs',
          ['retries', 'backoff', 'base'],
          retries?.backoff?.base,
          'retries.backoff.base',
        ),
        maxMs: scope.number(
          'retries.backoff.maxMs',
          ['retries', 'backoff', 'max'],
          retries?.backoff?.max,
          'retries.backoff.max',
        ),
      },
      replayBytesMax: scope.number(
        'retries.replayBytesMax',
        ['retries', 'replayBytes'],
        retries?.replayBytes,
        'retries.replayBytes',
      ),
    },
    rateLimits: (route.rateLimits ?? []).map((limit, at) => compileRateLimit(route.name, limit, at)),
    access: compileAccess(route.access),
  };
}

/** The one rule for limits that a route and its listener both name: the route's value wins, else the listener's holds. */
function combineLimits(
  route: RouteConfig,
  path: Path,
  name: string,
  listener: ListenerSettings | undefined,
  config: Config,
  origins: Origins,
): RouteLimits {
  const scope = origins.scope(`routes.${route.name}.listeners.${name}`, path);
  const inherited = { timeouts: config.listeners[name]?.timeouts, limits: config.listeners[name]?.limits };
  const from = (key: 'timeouts' | 'limits', field: string): Path => ['listeners', name, key, field];
  const limits = listener?.limits;
  return {
    requestMs: scope.inherit(
      'requestMs',
      ['timeouts', 'request'],
      route.timeouts?.request,
      from('timeouts', 'request'),
      limits?.requestMs ?? null,
      inherited.timeouts?.request !== undefined,
    ),
    bodyIdleMs: scope.inherit(
      'bodyIdleMs',
      null,
      undefined,
      from('timeouts', 'bodyIdle'),
      limits?.bodyIdleMs ?? null,
      inherited.timeouts?.bodyIdle !== undefined,
    ),
    bodyBytesMax: scope.inherit(
      'bodyBytesMax',
      ['limits', 'bodyBytes'],
      route.limits?.bodyBytes,
      from('limits', 'bodyBytes'),
      limits?.bodyBytesMax ?? null,
      inherited.limits?.bodyBytes !== undefined,
    ),
  };
}

function compileMatch(match: RouteConfig['match']): RouteMatch {
  return {
    hosts: (match?.hosts ?? []).map(host => host.toLowerCase()),
    path: compilePath(match?.path),
    methods: match?.methods ?? [],
    headers: compileNamed(match?.headers, name => name.toLowerCase()),
    query: compileNamed(match?.query, name => name),
  };
}

/** Literal paths are normalised as the paths of requests are, so that `/%61` and `/a` are one. */
function compilePath(path: NonNullable<RouteConfig['match']>['path']): RouteMatch['path'] {
  if (path?.exact !== undefined) return { kind: 'exact', value: decodeUnreserved(path.exact) };
  if (path?.template !== undefined) return { kind: 'template', value: decodeUnreserved(path.template) };
  if (path?.regex !== undefined) return { kind: 'regex', value: path.regex };
  const prefix = decodeUnreserved(path?.prefix ?? '/');
  return { kind: 'prefix', value: prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix };
}

function compileNamed(
  conditions: Readonly<Record<string, unknown>> | undefined,
  normalise: (name: string) => string,
): NamedMatch[] {
  return Object.entries(conditions ?? {}).map(([name, condition]) => ({
    name: normalise(name),
    test: compileTest(condition),
  }));
}

function compileTest(condition: unknown): TextMatch {
  if (typeof condition === 'string') return { kind: 'exact', value: condition };
  const { regex, present } = condition as { regex?: string; present?: true };
  if (regex !== undefined) return { kind: 'regex', value: regex };
  return present === true ? { kind: 'present' } : { kind: 'absent' };
}

function compileAction(route: RouteConfig): RouteAction {
  if (route.redirect !== undefined)
    return { kind: 'redirect', status: route.redirect.status ?? 308, to: route.redirect.to };
  if (route.respond !== undefined) {
    const { status, headers, body } = route.respond;
    return { kind: 'respond', status, headers: Object.entries(headers ?? {}), body: body ?? '' };
  }
  const { cluster, split } = route.forward ?? {};
  return { kind: 'forward', targets: split ?? [{ cluster: cluster ?? '', weight: 1 }] };
}

function compileEdits(edits: NonNullable<RouteConfig['headers']>['request']): HeaderEdits {
  return {
    remove: (edits?.remove ?? []).map(name => name.toLowerCase()),
    set: Object.entries(edits?.set ?? {}),
    add: Object.entries(edits?.add ?? {}),
  };
}

function compileRateLimit(
  route: string,
  limit: NonNullable<RouteConfig['rateLimits']>[number],
  at: number,
): RateLimitSettings {
  const key = limit.key.startsWith('header:')
    ? ({ kind: 'header', name: limit.key.slice('header:'.length).toLowerCase() } as const)
    : ({ kind: limit.key as 'clientIp' | 'route' } as const);
  return {
    name: `${route}/${at}`,
    key,
    count: limit.rate.count,
    periodMs: limit.rate.periodMs,
    burst: limit.burst ?? 1,
    mode: limit.mode ?? 'enforce',
  };
}

function compileAccess(access: ListenerConfig['access']): { allow: string[]; deny: string[] } {
  return { allow: access?.allow ?? [], deny: access?.deny ?? [] };
}

// ---- clusters

function compileCluster(
  name: string,
  cluster: ClusterConfig,
  origins: Origins,
  materials: Materials,
): ClusterSettings {
  const scope = origins.scope(`clusters.${name}`, ['clusters', name]);
  const { pool, circuitBreaker, retryBudget } = cluster;
  return {
    name,
    endpoints: cluster.endpoints.map((endpoint, at) => {
      const written = typeof endpoint === 'string' ? { address: endpoint, weight: undefined } : endpoint;
      return {
        address: address(written.address),
        weight: scope.number(
          `endpoints.${at}.weight`,
          ['endpoints', at, 'weight'],
          written.weight,
          'endpoint.weight',
        ),
      };
    }),
    protocol: scope.value('protocol', ['protocol'], cluster.protocol, 'http1'),
    tls: compileClientTls(cluster.tls, ['clusters', name, 'tls'], materials),
    policy: scope.value(
      'policy',
      ['loadBalancing', 'policy'],
      cluster.loadBalancing?.policy,
      'leastRequests',
    ),
    pool: {
      connectionsMax: scope.number(
        'pool.connectionsMax',
        ['pool', 'connections'],
        pool?.connections,
        'pool.connections',
      ),
      queueMax: scope.number('pool.queueMax', ['pool', 'queue'], pool?.queue, 'pool.queue'),
      queueMs: scope.number(
        'pool.queueMs',
        ['pool', 'queueTimeout'],
        pool?.queueTimeout,
        'pool.queueTimeout',
      ),
      idleMs: scope.number('pool.idleMs', ['pool', 'idle'], pool?.idle, 'pool.idle'),
      requestsMax: scope.limit(
        'pool.requestsMax',
        ['pool', 'maxRequests'],
        pool?.maxRequests,
        'pool.maxRequests',
      ),
      ageMsMax: scope.limit('pool.ageMsMax', ['pool', 'maxAge'], pool?.maxAge, 'pool.maxAge'),
      connectMs: scope.number(
        'pool.connectMs',
        ['pool', 'connectTimeout'],
        pool?.connectTimeout,
        'pool.connectTimeout',
      ),
    },
    health: { active: compileActive(cluster, scope), passive: compilePassive(cluster, scope) },
    circuitBreaker:
      circuitBreaker === undefined
        ? scope.value('circuitBreaker', ['circuitBreaker'], undefined, null)
        : {
            failureRatio: scope.number(
              'circuitBreaker.failureRatio',
              ['circuitBreaker', 'failureRatio'],
              circuitBreaker.failureRatio,
              'circuitBreaker.failureRatio',
            ),
            requestsMin: scope.number(
              'circuitBreaker.requestsMin',
              ['circuitBreaker', 'minRequests'],
              circuitBreaker.minRequests,
              'circuitBreaker.minRequests',
            ),
            windowMs: scope.number(
              'circuitBreaker.windowMs',
              ['circuitBreaker', 'window'],
              circuitBreaker.window,
              'circuitBreaker.window',
            ),
            openMs: scope.number(
              'circuitBreaker.openMs',
              ['circuitBreaker', 'openFor'],
              circuitBreaker.openFor,
              'circuitBreaker.openFor',
            ),
          },
    retryBudget: {
      ratio: scope.number(
        'retryBudget.ratio',
        ['retryBudget', 'ratio'],
        retryBudget?.ratio,
        'retryBudget.ratio',
      ),
      perSecondMin: scope.number(
        'retryBudget.perSecondMin',
        ['retryBudget', 'minPerSecond'],
        retryBudget?.minPerSecond,
        'retryBudget.minPerSecond',
      ),
    },
  };
}

type Scope = ReturnType<Origins['scope']>;

/** Off unless it is written: a probe to a path that nobody named would be a guess. */
function compileActive({ health }: ClusterConfig, scope: Scope): ClusterSettings['health']['active'] {
  const active = health?.active;
  if (typeof active !== 'object')
    return scope.value('health.active', ['health', 'active'], active === undefined ? undefined : null, null);
  const [statusMin = '200', statusMax = statusMin] = (active.expect ?? '200-399').split('-');
  const path: Path = ['health', 'active'];
  return {
    probe:
      active.tcp === true
        ? { kind: 'tcp' }
        : {
            kind: 'http',
            path: active.path ?? '/',
            statusMin: Number(statusMin),
            statusMax: Number(statusMax),
          },
    intervalMs: scope.number(
      'health.active.intervalMs',
      [...path, 'interval'],
      active.interval,
      'health.active.interval',
    ),
    timeoutMs: scope.number(
      'health.active.timeoutMs',
      [...path, 'timeout'],
      active.timeout,
      'health.active.timeout',
    ),
    healthyAfter: scope.number(
      'health.active.healthyAfter',
      [...path, 'healthyAfter'],
      active.healthyAfter,
      'health.active.healthyAfter',
    ),
    unhealthyAfter: scope.number(
      'health.active.unhealthyAfter',
      [...path, 'unhealthyAfter'],
      active.unhealthyAfter,
      'health.active.unhealthyAfter',
    ),
  };
}

/** On by default where there is another endpoint to go to. */
function compilePassive(
  { health, endpoints }: ClusterConfig,
  scope: Scope,
): ClusterSettings['health']['passive'] {
  const passive = health?.passive;
  const off = passive === 'off' || passive === false || (passive === undefined && endpoints.length < 2);
  if (off)
    return scope.value(
      'health.passive',
      ['health', 'passive'],
      passive === undefined ? undefined : null,
      null,
    );
  const written = typeof passive === 'object' ? passive : undefined;
  const path: Path = ['health', 'passive'];
  return {
    consecutiveFailures: scope.number(
      'health.passive.consecutiveFailures',
      [...path, 'consecutiveFailures'],
      written?.consecutiveFailures,
      'health.passive.consecutiveFailures',
    ),
    ejectMs: scope.number(
      'health.passive.ejectMs',
      [...path, 'ejectFor'],
      written?.ejectFor,
      'health.passive.ejectFor',
    ),
    ejectedRatioMax: scope.number(
      'health.passive.ejectedRatioMax',
      [...path, 'maxEjected'],
      written?.maxEjected,
      'health.passive.maxEjected',
    ),
  };
}

function compileClientTls(
  tls: ClusterConfig['tls'],
  path: Path,
  materials: Materials,
): ClientTlsSettings | null {
  if (tls === undefined) return null;
  const pair =
    tls.certFile === undefined || tls.keyFile === undefined
      ? null
      : materials.readPair(tls.certFile, tls.keyFile, path);
  return {
    verify: tls.verify ?? true,
    serverName: tls.serverName ?? null,
    caPem: tls.caFile === undefined ? null : materials.read(tls.caFile, [...path, 'caFile']),
    certPem: pair?.certPem ?? null,
    keyPem: pair?.keyPem ?? null,
  };
}

// ---- small things

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (typeof parsed === 'string') throw new Error(`the schema lets no bad address pass: ${parsed}`);
  return parsed;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, change(value, key)]));
}
