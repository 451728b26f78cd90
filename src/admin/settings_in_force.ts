/**
 * The settings that apply to a request, in the words of the file: `listeners.public.timeouts.head`, `10s`, with the line
 * that set each. The plan calls the same value `listeners.public.headMs`; the test of this file sets each key and sees
 * that its line is cited.
 *
 * Where a route and its listener can both have a setting, the key of the one that was used is named.
 */

import type { Plan } from '../config/plan.ts';
import { formatByteRate, formatDuration, formatSize } from '../config/units.ts';
import type { SettingOrigins } from '../http/data_plane.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import type { RouteLimits, RouteSettings } from '../routing/route.ts';
import type { RateLimitSettings } from '../security/rate_limit.ts';

export type SettingGroup =
  | 'access'
  | 'rewrite'
  | 'headers'
  | 'timeouts'
  | 'limits'
  | 'rates'
  | 'retries'
  | 'pool'
  | 'circuit';

/** A setting as the file would say it. */
export interface ShownSetting {
  readonly group: SettingGroup;
  /** `listeners.public.timeouts.head` */
  readonly key: string;
  /** `10s`, `32KiB`, `off` */
  readonly text: string;
  /** `edge.yaml:12:5`, perhaps with `(preset NAME)`, or `default`. */
  readonly origin: string;
}

/** A setting that is a number. */
export interface LimitInForce extends ShownSetting {
  /** For programs: the name of the value in the plan, without what it belongs to. */
  readonly name: string;
  /** Milliseconds, bytes or a count, as the end of `name` says; null: off. */
  readonly value: number | null;
  /** Where it is in the plan, as `plan --origins` calls it. */
  readonly path: string;
}

type Row = Omit<LimitInForce, 'origin' | 'text'> & { readonly text?: string };

/** Limits and timeouts that apply to a request, with the line that set each; `route` null: no route has matched. */
export function describeLimits(
  plan: Plan,
  route: RouteSettings | null,
  listener: ListenerSettings,
  origins: SettingOrigins,
): readonly LimitInForce[] {
  const rows = [...processLimits(plan), ...listenerLimits(listener)];
  if (route !== null) rows.push(...routeLimits(route, listener.name, origins));
  if (route?.action.kind === 'forward') {
    rows.push(...forwardLimits(route));
    for (const { cluster } of route.action.targets) rows.push(...clusterLimits(plan, cluster));
  }
  return rows.map(row => ({
    ...row,
    text: row.text ?? unitText(row.path, row.value),
    origin: origins.get(row.path),
  }));
}

/** Names of the plan end in their unit and bound (`headMs`, `headBytesMax`), so the unit need not be told again. */
export function unitText(path: string, value: number | null): string {
  if (value === null) return 'off';
  if (/BytesPerSecondMin$/i.test(path)) return formatByteRate(value);
  if (/Ms(?:Max)?$/.test(path)) return formatDuration(value);
  return /Bytes(?:Max)?$/.test(path) ? formatSize(value) : String(value);
}

function row(group: SettingGroup, key: string, path: string, name: string, value: number | null): Row {
  return { group, key, path, name, value };
}

function processLimits({ process: { overload, bufferedBytesMax } }: Plan): Row[] {
  const at = 'process.overload';
  const delay = overload.eventLoopDelayMs;
  return [
    row('limits', 'process.bufferedBytes', 'process.bufferedBytesMax', 'bufferedBytesMax', bufferedBytesMax),
    row('limits', `${at}.eventLoopDelay`, `${at}.eventLoopDelayMs`, 'overload.eventLoopDelayMs', delay),
    row('limits', `${at}.heapRatio`, `${at}.heapRatio`, 'overload.heapRatio', overload.heapRatio),
  ];
}

/** Key and path below the listener, and the value. */
type ListenerRow = readonly [
  group: 'timeouts' | 'limits' | 'access',
  key: string,
  path: string,
  value: number | null,
];

function listenerLimits(listener: ListenerSettings): Row[] {
  const { name, head, proxyProtocol, trustedProxies, trustedHops } = listener;
  const proxied: ListenerRow[] =
    proxyProtocol === null
      ? []
      : [['timeouts', 'timeouts.proxyHeader', 'proxyProtocol.headerMs', proxyProtocol.headerMs]];
  // Without trusted proxies nobody's word is counted.
  const hops: ListenerRow[] =
    trustedProxies.length === 0 ? [] : [['access', 'trustedHops', 'trustedHops', trustedHops]];
  const rows: ListenerRow[] = [
    ...proxied,
    ...hops,
    ['timeouts', 'timeouts.head', 'headMs', listener.headMs],
    ['timeouts', 'timeouts.keepAliveIdle', 'keepAliveIdleMs', listener.keepAliveIdleMs],
    ['limits', 'limits.headBytes', 'head.headBytesMax', head.headBytesMax],
    ['limits', 'limits.headerCount', 'head.headerCountMax', head.headerCountMax],
    ['limits', 'limits.uriBytes', 'head.uriBytesMax', head.uriBytesMax],
    ['limits', 'limits.connections', 'connectionsMax', listener.connectionsMax],
    ['limits', 'limits.connectionsPerIp', 'connectionsPerIpMax', listener.connectionsPerIpMax],
    ['limits', 'limits.tunnelsPerIp', 'tunnelsPerIpMax', listener.tunnelsPerIpMax],
    ['limits', 'limits.requestsPerConnection', 'requestsMax', listener.requestsMax],
  ];
  return rows.map(([group, key, path, value]) => {
    const shown = path === 'proxyProtocol.headerMs' ? 'proxyHeaderMs' : (path.split('.').at(-1) ?? path);
    return row(group, `listeners.${name}.${key}`, `listeners.${name}.${path}`, shown, value);
  });
}

/** What a route and its listener can both set, and where. */
const COMBINED = [
  ['timeouts', 'timeouts.bodyIdle', 'bodyIdleMs'],
  ['limits', 'limits.bodyBytes', 'bodyBytesMax'],
  ['limits', 'limits.minUploadRate', 'uploadBytesPerSecondMin'],
  ['limits', 'limits.minDownloadRate', 'downloadBytesPerSecondMin'],
  ['timeouts', 'timeouts.request', 'requestMs'],
] as const satisfies readonly (readonly [SettingGroup, string, keyof RouteLimits])[];

function routeLimits(route: RouteSettings, listener: string, origins: SettingOrigins): Row[] {
  const limits = route.listeners[listener];
  const own = `routes.${route.name}`;
  const combined = COMBINED.map(([group, key, name]) => {
    const path = `${own}.listeners.${listener}.${name}`;
    const inherited = `listeners.${listener}.limits.${name}`;
    const owner = origins.get(path) === origins.get(inherited) ? `listeners.${listener}` : own;
    return row(group, `${owner}.${key}`, path, name, limits?.[name] ?? null);
  });
  const rates = route.rateLimits.map((limit, at) => ({
    group: 'rates' as const,
    key: `${own}.rateLimits[${at}]`,
    path: `${own}.rateLimits.${at}.count`,
    name: `rate ${limit.name} per ${limit.periodMs} ms${limit.store === null ? '' : ` in ${limit.store}`}`,
    value: limit.count,
    text: rateText(limit),
  }));
  return [...combined, ...rates];
}

function rateText({ key, count, periodMs, burst, mode, store }: RateLimitSettings): string {
  const parts = [`${count}/${formatDuration(periodMs).slice(-1)} for ${counted(key)}`, `burst ${burst}`];
  if (store !== null) parts.push(`counted in stores.${store}`);
  if (mode === 'shadow') parts.push('mode shadow: only counts, refuses nothing');
  return parts.join(', ');
}

function counted(key: RateLimitSettings['key']): string {
  if (key.kind === 'header') return `each value of the header ${key.name}`;
  return key.kind === 'clientIp' ? 'each client address' : 'the whole route';
}

function forwardLimits({
  name,
  responseHeadMs,
  responseIdleMs,
  tunnelIdleMs,
  retries,
}: RouteSettings): Row[] {
  const own = `routes.${name}`;
  const { attemptsMax, perTryMs, backoff, replayBytesMax } = retries;
  const timeout = (key: string, value: number | null) =>
    row('timeouts', `${own}.timeouts.${key}`, `${own}.${key}Ms`, `${key}Ms`, value);
  const retry = (key: string, path: string, value: number | null) =>
    row('retries', `${own}.retries.${key}`, `${own}.retries.${path}`, `retries.${path}`, value);
  return [
    timeout('responseHead', responseHeadMs),
    timeout('responseIdle', responseIdleMs),
    timeout('tunnelIdle', tunnelIdleMs),
    retry('attempts', 'attemptsMax', attemptsMax),
    retry('perTry', 'perTryMs', perTryMs),
    retry('backoff.base', 'backoff.baseMs', backoff.baseMs),
    retry('backoff.max', 'backoff.maxMs', backoff.maxMs),
    retry('replayBytes', 'replayBytesMax', replayBytesMax),
  ];
}

function clusterLimits(plan: Plan, name: string): Row[] {
  const cluster = plan.clusters[name];
  if (cluster === undefined) return [];
  const own = `clusters.${name}`;
  const { pool, circuitBreaker, retryBudget } = cluster;
  const pooled = (key: string, path: string, value: number | null) =>
    row('pool', `${own}.pool.${key}`, `${own}.pool.${path}`, `${name}.${path}`, value);
  const budget = (key: string, path: string, value: number) =>
    row(
      'retries',
      `${own}.retryBudget.${key}`,
      `${own}.retryBudget.${path}`,
      `${name}.retryBudget.${path}`,
      value,
    );
  const rows = [
    pooled('connectTimeout', 'connectTimeoutMs', pool.connectTimeoutMs),
    pooled('connections', 'connectionsMax', pool.connectionsMax),
    pooled('queue', 'queueMax', pool.queueMax),
    pooled('queueTimeout', 'queueTimeoutMs', pool.queueTimeoutMs),
    pooled('idle', 'idleMs', pool.idleMs),
    pooled('maxRequests', 'requestsMax', pool.requestsMax),
    pooled('maxAge', 'ageMsMax', pool.ageMsMax),
    budget('ratio', 'ratio', retryBudget.ratio),
    budget('minPerSecond', 'perSecondMin', retryBudget.perSecondMin),
  ];
  if (circuitBreaker === null) return rows;
  const { failureRatio, requestsMin, windowMs, openMs } = circuitBreaker;
  const at = `${own}.circuitBreaker`;
  const circuit = (key: string, path: string, value: number) =>
    row('circuit', `${at}.${key}`, `${at}.${path}`, `${name}.circuit.${path}`, value);
  return [
    ...rows,
    circuit('failureRatio', 'failureRatio', failureRatio),
    circuit('minRequests', 'requestsMin', requestsMin),
    circuit('window', 'windowMs', windowMs),
    circuit('openFor', 'openMs', openMs),
  ];
}
