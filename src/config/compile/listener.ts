/** Compiles one listener. */
import type { ListenerSettings } from '../../http/listener_settings.ts';
import type { RouteLimits } from '../../routing/route.ts';
import { RATE_GRACE_MS, TLS12_CIPHERS } from '../schema/defaults.ts';
import type { ListenerConfig } from '../schema/listener.ts';
import { PRESETS, type Preset, presetOf } from '../schema/presets.ts';
import type { Materials } from './materials.ts';
import { type Origins, type PresetLayer, Scope } from './origins.ts';

export function compileListener(
  name: string,
  listener: ListenerConfig,
  origins: Origins,
  materials: Materials,
): ListenerSettings {
  const path = ['listeners', name];
  const scope = new Scope(origins, listener, `listeners.${name}`, path, 1, presetLayer(listener, path));
  return {
    name: scope.part('name', [], name),
    address: scope.part('address', ['address'], materials.address(listener.address, [...path, 'address'])),
    tls: compileTls(listener, scope, path, materials),
    http2: compileHttp2(listener, scope),
    h2c: scope.choice('h2c', 'listeners.h2c'),
    reusePort: scope.choice('reusePort', 'listeners.reusePort'),
    connectionsMax: scope.limit('connectionsMax', 'listeners.limits.connections'),
    connectionsPerIpMax: scope.limit('connectionsPerIpMax', 'listeners.limits.connectionsPerIp'),
    tunnelsPerIpMax: scope.limit('tunnelsPerIpMax', 'listeners.limits.tunnelsPerIp'),
    floodPenaltyMs: scope.limit('floodPenaltyMs', 'listeners.limits.floodPenalty'),
    handshakesMax: scope.limit('handshakesMax', 'listeners.limits.handshakes'),
    ...compileTrust(listener, presetOf(listener), scope),
    proxyProtocol: compileProxyProtocol(listener, scope),
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
    headers: { underscores: scope.choice('headers.underscores', 'listeners.headers.underscores') },
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

function presetLayer({ preset }: ListenerConfig, path: readonly string[]): PresetLayer | null {
  if (preset === undefined) return null;
  return { name: preset, path: [...path, 'preset'], numbers: PRESETS[preset].numbers };
}

/** Whose word is believed about the client, and which words. */
function compileTrust(
  { trustedProxies, trustedHeaders }: ListenerConfig,
  preset: Preset | null,
  scope: Scope,
): Pick<ListenerSettings, 'trustedProxies' | 'trustedHops' | 'trustedHeaders'> {
  const named = preset?.trustedProxies ?? null;
  const proxies =
    trustedProxies === undefined && named !== null
      ? scope.ofPreset('trustedProxies', named)
      : scope.part('trustedProxies', ['trustedProxies'], trustedProxies ?? []);
  const headers =
    trustedHeaders === undefined && preset !== null
      ? scope.ofPreset('trustedHeaders', preset.trustedHeaders)
      : scope.part('trustedHeaders', ['trustedHeaders'], trustedHeaders ?? null);
  return {
    trustedProxies: proxies,
    trustedHops: scope.number('trustedHops', 'listeners.trustedHops'),
    trustedHeaders: headers === null ? null : headers.map(name => name.toLowerCase()),
  };
}

function compileProxyProtocol(
  { proxyProtocol }: ListenerConfig,
  scope: Scope,
): ListenerSettings['proxyProtocol'] {
  const at = 'proxyProtocol';
  if (proxyProtocol === undefined) return scope.part(at, [at], null);
  return {
    from: scope.part(`${at}.from`, [at, 'from'], proxyProtocol.from),
    headerMs: scope.number(`${at}.headerMs`, 'listeners.timeouts.proxyHeader'),
    pendingMax: scope.number(`${at}.pendingMax`, 'listeners.limits.pendingProxyHeaders'),
  };
}

/** The rates use `bodyIdle` as their grace, because a pause that it allows must not cost a client its request. */
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
    ciphers: scope.part('tls.ciphers', ['tls', 'ciphers'], tls.ciphers ?? TLS12_CIPHERS),
    ...compileClientCertificate(tls, scope, path, materials),
    sessionTickets: compileTickets(tls, scope, path, materials),
  };
}

type TlsConfig = NonNullable<ListenerConfig['tls']>;
type TlsSettings = NonNullable<ListenerSettings['tls']>;

function compileClientCertificate(
  { clientCertificate }: TlsConfig,
  scope: Scope,
  path: readonly string[],
  materials: Materials,
): Pick<TlsSettings, 'clientCertificate' | 'rejectMisdirected'> {
  const mode = scope.choice('tls.clientCertificate.mode', 'listeners.tls.clientCertificate.mode');
  const misdirected = scope.choice('tls.rejectMisdirected', 'listeners.tls.misdirected');
  const place = ['tls', 'clientCertificate', 'caFile'] as const;
  const caFile = mode === 'none' ? undefined : clientCertificate?.caFile;
  const caPem = caFile === undefined ? null : materials.readAuthorities(caFile, [...path, ...place]);
  return {
    clientCertificate: { mode, caPem: scope.part('tls.clientCertificate.caPem', place, caPem) },
    rejectMisdirected: misdirected === 'auto' ? mode !== 'none' : misdirected === 'reject',
  };
}

function compileTickets(
  { sessionTickets }: TlsConfig,
  scope: Scope,
  path: readonly string[],
  materials: Materials,
): TlsSettings['sessionTickets'] {
  const place = ['tls', 'sessionTickets'] as const;
  if (sessionTickets === 'off') return scope.part('tls.sessionTickets', place, null);
  const rotateMs = scope.number('tls.sessionTickets.rotateMs', 'listeners.tls.sessionTickets.rotate');
  const keyFile = sessionTickets?.keyFile;
  const ticketKey =
    keyFile === undefined ? null : materials.readTicketKey(keyFile, [...path, ...place, 'keyFile']);
  return {
    rotateMs,
    ticketKey: scope.part('tls.sessionTickets.ticketKey', [...place, 'keyFile'], ticketKey),
  };
}

/** Settings for HTTP/2 also switch it on. */
function compileHttp2(listener: ListenerConfig, scope: Scope): boolean {
  return typeof listener.http2 === 'object'
    ? scope.part('http2', ['http2'], true)
    : scope.choice('http2', 'listeners.http2');
}
