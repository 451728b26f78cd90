/** Compiles one cluster. */
import type { FailureShare } from '../../health/passive.ts';
import type { ClusterSettings } from '../../load_balancer/backend.ts';
import { nameOf } from '../../net/address.ts';
import type { ClientTlsSettings } from '../../net/tls.ts';
import type { ClusterConfig } from '../schema/cluster.ts';
import { HEALTHY_STATUSES } from '../schema/defaults.ts';
import type { Path } from '../text/path.ts';
import type { Materials } from './materials.ts';
import { type Origins, Scope } from './origins.ts';

export function compileCluster(
  name: string,
  cluster: ClusterConfig,
  origins: Origins,
  materials: Materials,
): ClusterSettings {
  const path = ['clusters', name];
  const scope = new Scope(origins, cluster, `clusters.${name}`, path);
  const endpoints = cluster.endpoints.map((endpoint, at) =>
    compileEndpoint(
      endpoint,
      [...path, 'endpoints', at],
      `clusters.${name}.endpoints.${at}`,
      origins,
      materials,
    ),
  );
  return {
    name: scope.part('name', [], name),
    endpoints,
    protocol: scope.choice('protocol', 'clusters.protocol'),
    required: scope.choice('required', 'clusters.required'),
    tls: compileTls(cluster, scope, [...path, 'tls'], materials),
    policy: scope.choice('policy', 'clusters.loadBalancing.policy'),
    slowStartMs: scope.limit('slowStartMs', 'clusters.loadBalancing.slowStart'),
    panicBelow: scope.limit('panicBelow', 'clusters.loadBalancing.panicBelow'),
    pool: {
      connectionsMax: scope.number('pool.connectionsMax', 'clusters.pool.connections'),
      queueMax: scope.number('pool.queueMax', 'clusters.pool.queue'),
      queueTimeoutMs: scope.number('pool.queueTimeoutMs', 'clusters.pool.queueTimeout'),
      idleMs: scope.number('pool.idleMs', 'clusters.pool.idle'),
      requestsMax: scope.limit('pool.requestsMax', 'clusters.pool.maxRequests'),
      ageMsMax: scope.limit('pool.ageMsMax', 'clusters.pool.maxAge'),
      connectTimeoutMs: scope.number('pool.connectTimeoutMs', 'clusters.pool.connectTimeout'),
    },
    health: { active: compileActive(cluster, scope), passive: compilePassive(cluster, endpoints, scope) },
    circuitBreaker: compileCircuitBreaker(cluster, scope),
    retryBudget: {
      ratio: scope.number('retryBudget.ratio', 'clusters.retryBudget.ratio'),
      perSecondMin: scope.number('retryBudget.perSecondMin', 'clusters.retryBudget.minPerSecond'),
    },
  };
}

function compileEndpoint(
  endpoint: ClusterConfig['endpoints'][number],
  path: Path,
  planPath: string,
  origins: Origins,
  materials: Materials,
): ClusterSettings['endpoints'][number] {
  const written = typeof endpoint === 'string' ? { address: endpoint } : endpoint;
  const scope = new Scope(origins, written, planPath, path, 2);
  scope.note('address', typeof endpoint === 'string' ? [] : ['address']);
  const address = materials.address(written.address, path);
  const refreshMs = scope.number('refreshMs', 'clusters.endpoints.resolve.refresh');
  return {
    address,
    weight: scope.number('weight', 'clusters.endpoints.weight'),
    tier: scope.number('tier', 'clusters.endpoints.tier'),
    refreshMs: nameOf(address) === null ? null : refreshMs,
  };
}

/** Off unless written: a probe of a path that nobody named would be a guess. */
function compileActive({ health }: ClusterConfig, scope: Scope): ClusterSettings['health']['active'] {
  const active = health?.active;
  if (typeof active !== 'object') return scope.part('health.active', ['health', 'active'], null);
  const place: Path = ['health', 'active'];
  const kind = (['tcp', 'grpc', 'webSocket'] as const).find(key => active[key] !== undefined) ?? 'path';
  scope.note('health.active.probe', [...place, kind]);
  const intervalMs = scope.number('health.active.intervalMs', 'clusters.health.active.interval');
  const timeoutMs = scope.number('health.active.timeoutMs', 'clusters.health.active.timeout');
  return {
    probe: compileProbe(active, scope, place),
    intervalMs,
    timeoutMs: Math.min(timeoutMs, intervalMs), // only the default can be longer: `check/times.ts`
    healthyAfter: scope.number('health.active.healthyAfter', 'clusters.health.active.healthyAfter'),
    unhealthyAfter: scope.number('health.active.unhealthyAfter', 'clusters.health.active.unhealthyAfter'),
  };
}

type ActiveConfig = Exclude<NonNullable<NonNullable<ClusterConfig['health']>['active']>, 'off'>;
type ProbeSettings = NonNullable<ClusterSettings['health']['active']>['probe'];

function compileProbe(active: ActiveConfig, scope: Scope, place: Path): ProbeSettings {
  const { tcp, webSocket, grpc, path = '/', host = null, headers = {}, expect, body = null } = active;
  if (tcp === true) return { kind: 'tcp' };
  if (grpc !== undefined) return { kind: 'grpc', service: grpc === true ? '' : grpc.service };
  const question = { path, host, headers: Object.entries(headers) };
  if (webSocket === true) return { kind: 'webSocket', ...question };
  for (const key of ['statusMin', 'statusMax'])
    scope.note(`health.active.probe.${key}`, [...place, 'expect']);
  const { min, max } = expect ?? HEALTHY_STATUSES;
  const method = active.method ?? 'GET';
  return { kind: 'http', ...question, method, statusMin: min, statusMax: max, body };
}

/** On by default if there is, or may be, another endpoint. */
function compilePassive(
  { health }: ClusterConfig,
  endpoints: ClusterSettings['endpoints'],
  scope: Scope,
): ClusterSettings['health']['passive'] {
  const passive = health?.passive;
  const isAlone = endpoints.length < 2 && endpoints[0]?.refreshMs === null;
  const isOff = passive === 'off' || (passive === undefined && isAlone);
  if (isOff) return scope.part('health.passive', ['health', 'passive'], null);
  return {
    consecutiveFailures: scope.number(
      'health.passive.consecutiveFailures',
      'clusters.health.passive.consecutiveFailures',
    ),
    failureShare: compileShare(scope),
    ejectMs: scope.number('health.passive.ejectMs', 'clusters.health.passive.ejectFor'),
    ejectedRatioMax: scope.number('health.passive.ejectedRatioMax', 'clusters.health.passive.maxEjected'),
  };
}

function compileShare(scope: Scope): FailureShare | null {
  const place = 'health.passive.failureShare';
  const ratio = scope.limit(`${place}.ratio`, 'clusters.health.passive.failureRatio');
  scope.note(place, ratio === null ? ['health', 'passive', 'failureRatio'] : null);
  const requestsMin = scope.number(`${place}.requestsMin`, 'clusters.health.passive.minRequests');
  const windowMs = scope.number(`${place}.windowMs`, 'clusters.health.passive.window');
  return ratio === null ? null : { ratio, requestsMin, windowMs };
}

/** Off unless written: what failure ratio is too high depends on the backend. */
function compileCircuitBreaker(
  { circuitBreaker }: ClusterConfig,
  scope: Scope,
): ClusterSettings['circuitBreaker'] {
  if (circuitBreaker === undefined) return scope.part('circuitBreaker', ['circuitBreaker'], null);
  return {
    failureRatio: scope.number('circuitBreaker.failureRatio', 'clusters.circuitBreaker.failureRatio'),
    requestsMin: scope.number('circuitBreaker.requestsMin', 'clusters.circuitBreaker.minRequests'),
    windowMs: scope.number('circuitBreaker.windowMs', 'clusters.circuitBreaker.window'),
    openMs: scope.number('circuitBreaker.openMs', 'clusters.circuitBreaker.openFor'),
  };
}

function compileTls(
  { tls }: ClusterConfig,
  scope: Scope,
  path: Path,
  materials: Materials,
): ClientTlsSettings | null {
  if (tls === undefined) return scope.part('tls', ['tls'], null);
  const { certFile, keyFile, caFile } = tls;
  const pair =
    certFile === undefined || keyFile === undefined ? null : materials.readPair(certFile, keyFile, path);
  return {
    verify: scope.choice('tls.verify', 'clusters.tls.verify'),
    serverName: scope.part('tls.serverName', ['tls', 'serverName'], tls.serverName ?? null),
    caPem: scope.part(
      'tls.caPem',
      ['tls', 'caFile'],
      caFile === undefined ? null : materials.readAuthorities(caFile, [...path, 'caFile']),
    ),
    certPem: scope.part('tls.certPem', ['tls', 'certFile'], pair?.certPem ?? null),
    keyPem: scope.part('tls.keyPem', ['tls', 'keyFile'], pair?.keyPem ?? null),
  };
}
