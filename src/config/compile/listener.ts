/** One listener of the configuration becomes its part of the plan. */
import type { ListenerSettings } from '../../http/listener_settings.ts';
import type { RouteLimits } from '../../routing/route.ts';
import { RATE_GRACE_MS } from '../schema/defaults.ts';
import type { ListenerConfig } from '../schema/listener.ts';
import type { Materials } from './materials.ts';
import { type Origins, Scope } from './origins.ts';

export function compileListener(
  name: string,
  listener: ListenerConfig,
  origins: Origins,
  materials: Materials,
): ListenerSettings {
  const path = ['listeners', name];
  const scope = new Scope(origins, listener, `listeners.${name}`, path);
  return {
    name,
    address: scope.part('address', ['address'], materials.address(listener.address, [...path, 'address'])),
    tls: compileTls(listener, scope, path, materials),
    http2: compileHttp2(listener, scope),
    h2c: scope.choice('h2c', 'listeners.h2c'),
    connectionsMax: scope.limit('connectionsMax', 'listeners.limits.connections'),
    connectionsPerIpMax: scope.limit('connectionsPerIpMax', 'listeners.limits.connectionsPerIp'),
    tunnelsPerIpMax: scope.limit('tunnelsPerIpMax', 'listeners.limits.tunnelsPerIp'),
    trustedProxies: scope.part('trustedProxies', ['trustedProxies'], listener.trustedProxies ?? []),
    access: {
      allow: scope.part('access.allow', ['access', 'allow'], listener.access?.allow ?? []),
      deny: scope.part('access.deny', ['access', 'deny'], listener.access?.deny ?? []),
    },
    healthPath: scope.part('healthPath', ['healthPath'], listener.healthPath ?? null),
    paths: {
      dotSegments: scope.choice('paths.dotSegments', 'listeners.paths.dotSegments'),
      encodedSlash: scope.choice('paths.encodedSlash', 'listeners.paths.encodedSlash'),
      slashes: scope.choice('paths.slashes', 'listeners.paths.slashes'),
      semicolons: scope.choice('paths.semicolons', 'listeners.paths.semicolons'),
    },
    head: {
      headBytesMax: scope.number('head.headBytesMax', 'listeners.limits.headBytes'),
      headerCountMax: scope.number('head.headerCountMax', 'listeners.limits.headerCount'),
      uriBytesMax: scope.number('head.uriBytesMax', 'listeners.limits.uriBytes'),
    },
    requestsMax: scope.limit('requestsMax', 'listeners.limits.requestsPerConnection'),
    headMs: scope.number('headMs', 'listeners.timeouts.head'),
    keepAliveIdleMs: scope.number('keepAliveIdleMs', 'listeners.timeouts.keepAliveIdle'),
    http2Settings: {
      streamsMax: scope.number('http2Settings.streamsMax', 'listeners.http2.maxConcurrentStreams'),
      streamWindowBytes: scope.number('http2Settings.streamWindowBytes', 'listeners.http2.windows.stream'),
      connectionWindowBytes: scope.number(
        'http2Settings.connectionWindowBytes',
        'listeners.http2.windows.connection',
      ),
    },
    limits: {
      requestMs: scope.limit('limits.requestMs', 'listeners.timeouts.request'),
      bodyIdleMs: scope.limit('limits.bodyIdleMs', 'listeners.timeouts.bodyIdle'),
      bodyBytesMax: scope.limit('limits.bodyBytesMax', 'listeners.limits.bodyBytes'),
      ...compileRates(scope),
    },
  };
}

/** A pause that `bodyIdle` allows must not cost a client its request: it is the grace of the rates too. */
function compileRates(
  scope: Scope,
): Pick<RouteLimits, 'uploadBytesPerSecondMin' | 'downloadBytesPerSecondMin' | 'rateGraceMs'> {
  return {
    uploadBytesPerSecondMin: scope.limit('limits.uploadBytesPerSecondMin', 'listeners.limits.minUploadRate'),
    downloadBytesPerSecondMin: scope.limit(
      'limits.downloadBytesPerSecondMin',
      'listeners.limits.minDownloadRate',
    ),
    rateGraceMs: scope.limit('limits.rateGraceMs', 'listeners.timeouts.bodyIdle') ?? RATE_GRACE_MS,
  };
}

function compileTls(
  { tls }: ListenerConfig,
  scope: Scope,
  path: readonly string[],
  materials: Materials,
): ListenerSettings['tls'] {
  if (tls === undefined) return scope.part('tls', ['tls'], null);
  return {
    certificates: tls.certificates.map(({ certFile, keyFile }, at) => {
      const place = ['tls', 'certificates', at] as const;
      scope.note(`tls.certificates.${at}.certPem`, [...place, 'certFile']);
      scope.note(`tls.certificates.${at}.keyPem`, [...place, 'keyFile']);
      return materials.readPair(certFile, keyFile, [...path, ...place]);
    }),
    minVersion: scope.choice('tls.minVersion', 'listeners.tls.minVersion'),
  };
}

/** Settings of HTTP/2 say that it is wanted. */
function compileHttp2(listener: ListenerConfig, scope: Scope): boolean {
  return typeof listener.http2 === 'object'
    ? scope.part('http2', ['http2'], true)
    : scope.choice('http2', 'listeners.http2');
}
