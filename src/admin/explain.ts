/**
 * Explains what would happen to a request, without sending it: the route, why more specific routes do not match, what
 * the backend would receive, and which limits apply, each with the line that set it.
 */

import type { Plan } from '../config/plan.ts';
import type { SettingOrigins } from '../http/data_plane.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import { FAILURE_RULES, type Failure } from '../resilience/failure.ts';
import { buildMaintenance } from '../routing/maintenance.ts';
import { requestEditsOf } from '../routing/request_edits.ts';
import { buildRedirect, buildRewrite, expandRedirect, rewriteTarget } from '../routing/rewrite.ts';
import type { RouteSettings } from '../routing/route.ts';
import { buildRouter } from '../routing/router.ts';
import { buildAccessList } from '../security/access.ts';
import { buildProxyTrust, type ClientAddress, resolveClientAddress } from '../security/client_address.ts';
import { buildHeaderEdits, buildUpstreamHeaders, maskSecretFields } from '../security/headers.ts';
import { parseRequestHead, type RequestHead } from '../security/request_head.ts';

export interface Question {
  readonly url: string;
  readonly method: string;
  /** `name: value` */
  readonly headers: readonly string[];
  readonly clientIp: string;
  /** Null: the first listener that fits the URL. */
  readonly listener: string | null;
}

/** The redirect that this request would get. */
interface LocatedRedirect {
  readonly kind: 'redirect';
  readonly status: number;
  readonly location: string;
}

export interface Explanation {
  readonly listener: string;
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly matchPath: string;
  };
  readonly client: {
    readonly ip: string;
    readonly peerTrusted: boolean;
    /** Where the client address comes from, in parentheses; empty if it is the peer itself. */
    readonly from: string;
  };
  readonly route: string | null;
  /** Why there is no route, or why the request would be refused earlier. */
  readonly refused: {
    readonly reason: Failure['kind'];
    readonly status: number;
    /** The line that says so, where there is one. */
    readonly origin?: string;
  } | null;
  /** Null: no login is required. */
  readonly auth: { readonly scheme: 'basic'; readonly realm: string; readonly origin: string } | null;
  readonly nearer: readonly { readonly route: string; readonly reason: string }[];
  readonly action: RouteSettings['action'] | LocatedRedirect | null;
  readonly upstream: {
    readonly target: string;
    readonly host: string;
    readonly headers: readonly string[];
  } | null;
  readonly limits: readonly {
    readonly name: string;
    readonly value: number | null;
    readonly origin: string;
  }[];
}

export type Explained = Explanation | { readonly error: string };

/** Reads the query of `/explain?url=...&method=...&header=...`. */
export function readQuestion(query: Readonly<Record<string, unknown>>): Question {
  const one = (key: string, otherwise: string): string =>
    typeof query[key] === 'string' ? query[key] : otherwise;
  const header = query['header'];
  return {
    url: one('url', ''),
    method: one('method', 'GET'),
    headers: Array.isArray(header) ? header.map(String) : typeof header === 'string' ? [header] : [],
    clientIp: one('clientIp', '127.0.0.1'),
    listener: typeof query['listener'] === 'string' ? query['listener'] : null,
  };
}

export function explainOffline(plan: Plan, origins: SettingOrigins, question: Question): Explained {
  const url = URL.canParse(question.url) ? new URL(question.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    return { error: `"${question.url}" is not an http or https URL` };
  const listener = chooseListener(plan, question.listener, url);
  if (typeof listener === 'string') return { error: listener };
  const headers = readHeaders(question.headers);
  if (headers === null) return { error: 'a header must be written as "name: value"' };
  // The path as typed, because the URL class would resolve its dots and escape characters.
  const target = /^https?:\/\/[^/?#]*([^#]*)/i.exec(question.url)?.[1] ?? '/';
  const raw = {
    method: question.method,
    target: target.startsWith('/') ? target : `/${target}`,
    headers: headers.some((text, at) => at % 2 === 0 && text.toLowerCase() === 'host')
      ? headers
      : ['Host', url.host, ...headers],
    protocol: 'HTTP/1.1' as const,
    authority: null,
    endOfStream: true,
  };
  const parsed = parseRequestHead(raw, listener.head, listener.paths, listener.headers);
  const asked = { method: raw.method, host: url.host, path: raw.target };
  const kept = 'kind' in parsed ? raw.headers : parsed.headers;
  const address = resolveClientAddress(question.clientIp, buildProxyTrust(listener), kept);
  const head = address.malformed ? UNREADABLE_CLIENT : parsed;
  const base = {
    listener: listener.name,
    client: {
      ip: address.clientIp,
      peerTrusted: address.peerTrusted,
      from: whoSays(question.clientIp, address),
    },
  };
  if ('kind' in head) {
    return {
      ...base,
      request: { ...asked, matchPath: '' },
      route: null,
      refused: refusal(head),
      auth: null,
      nearer: [],
      action: null,
      upstream: null,
      limits: describeLimits(plan, null, listener, origins),
    };
  }
  const request = { ...asked, host: head.authority, matchPath: head.matchPath };
  return {
    ...base,
    request,
    ...explainRoute(
      plan,
      origins,
      listener,
      head,
      { ...address, peerIp: question.clientIp },
      url.protocol === 'https:',
    ),
  };
}

const UNREADABLE_CLIENT: Failure = { kind: 'bad_request', detail: 'The Forwarded field is malformed.' };

function whoSays(peerIp: string, { source, peerTrusted }: ClientAddress): string {
  if (!peerTrusted) return '';
  return source === 'connection'
    ? '  (the peer itself: a trusted proxy that named no other client)'
    : `  (${source}, from the trusted proxy ${peerIp})`;
}

function explainRoute(
  plan: Plan,
  origins: SettingOrigins,
  listener: ListenerSettings,
  head: RequestHead,
  address: ClientAddress & { readonly peerIp: string },
  secure: boolean,
): Omit<Explanation, 'listener' | 'client' | 'request'> {
  const { chosen, nearer: near } = routeOf(plan, listener.name, head);
  if (chosen === null)
    return {
      route: null,
      refused: refusal({ kind: 'no_route' }),
      auth: null,
      nearer: near,
      action: null,
      upstream: null,
      limits: describeLimits(plan, null, listener, origins),
    };
  const admitted =
    buildAccessList(listener.access).allows(address.clientIp) &&
    buildAccessList(chosen.access).allows(address.clientIp);
  return {
    route: chosen.name,
    refused: admitted
      ? describeMaintenance(plan, chosen, address.clientIp, origins)
      : refusal({ kind: 'access_denied', by: '' }),
    auth: describeAuth(chosen, origins),
    nearer: near,
    action: describeAction(chosen, head),
    upstream:
      chosen.action.kind === 'forward'
        ? describeUpstream(plan, chosen, head, address, secure, listener)
        : null,
    limits: describeLimits(plan, chosen, listener, origins),
  };
}

/** Null: the route serves this client. */
function describeMaintenance(
  { pages }: Plan,
  { name, maintenance }: RouteSettings,
  clientIp: string,
  origins: SettingOrigins,
): Explanation['refused'] {
  if (maintenance === null) return null;
  const origin = origins.get(`routes.${name}.maintenance`);
  const failure = buildMaintenance(maintenance, pages).refusal(clientIp, () => origin);
  return failure === null ? null : { reason: failure.kind, status: maintenance.status, origin };
}

/** Name and password are not checked here. */
function describeAuth({ name, basicAuth }: RouteSettings, origins: SettingOrigins): Explanation['auth'] {
  if (basicAuth === null) return null;
  const origin = origins.get(`routes.${name}.basicAuth.realm`);
  return { scheme: 'basic', realm: basicAuth.realm, origin };
}

/** The route that matches, and why more specific ones do not. */
export function routeOf(plan: Plan, listener: string, head: RequestHead) {
  const routes = plan.routes.filter(route => route.listeners[listener] !== undefined);
  const router = buildRouter(routes.map(route => ({ match: route.match, value: route })));
  const { chosen, nearer } = router.explain(head);
  return { chosen, nearer: nearer.map(({ value, reason }) => ({ route: value.name, reason })) };
}

function refusal(failure: Failure): Explanation['refused'] {
  return { reason: failure.kind, status: FAILURE_RULES[failure.kind].status };
}

function describeAction({ action }: RouteSettings, head: RequestHead): Explanation['action'] {
  if (action.kind === 'redirect')
    return {
      kind: 'redirect',
      status: action.status,
      location: expandRedirect(buildRedirect(action.to), head),
    };
  return action;
}

function describeUpstream(
  plan: Plan,
  route: RouteSettings,
  head: RequestHead,
  address: ClientAddress & { readonly peerIp: string },
  secure: boolean,
  listener: ListenerSettings,
): Explanation['upstream'] {
  const rewrite = buildRewrite(route.rewrite);
  const facts = {
    requestId: '<new>',
    clientIp: address.clientIp,
    peerIp: address.peerIp,
    claim: address.claim,
    protocol: 'HTTP/1.1' as const,
    tls: secure ? 'TLSv1.3' : null,
    host: head.authority,
    peer: { localPort: listener.address.kind === 'tcp' ? listener.address.port : 0, tls: null },
    services: { instanceId: '<instance>' },
  };
  return {
    target: rewrite === null ? head.target : rewriteTarget(rewrite, head.target),
    host: route.rewrite.host ?? head.authority,
    headers: maskSecretFields(
      buildUpstreamHeaders(head, facts, buildHeaderEdits(requestEditsOf(route, plan.tracing.propagate))),
    ),
  };
}

type LimitRow = readonly [name: string, value: number | null, setting: string];

/** Limits and timeouts that apply to a request, with the line that set each; `route` null: no route has matched. */
export function describeLimits(
  plan: Plan,
  route: RouteSettings | null,
  listener: ListenerSettings,
  origins: SettingOrigins,
): Explanation['limits'] {
  const rows = [...processLimits(plan), ...listenerLimits(listener)];
  if (route !== null) rows.push(...routeLimits(route, listener.name));
  if (route?.action.kind === 'forward') {
    rows.push(...forwardLimits(route));
    for (const { cluster } of route.action.targets) rows.push(...clusterLimits(plan, cluster));
  }
  return rows.map(([name, value, path]) => ({ name, value, origin: origins.get(path) }));
}

function processLimits({ process: { overload, bufferedBytesMax } }: Plan): LimitRow[] {
  return [
    ['bufferedBytesMax', bufferedBytesMax, 'process.bufferedBytesMax'],
    ['overload.eventLoopDelayMs', overload.eventLoopDelayMs, 'process.overload.eventLoopDelayMs'],
    ['overload.heapRatio', overload.heapRatio, 'process.overload.heapRatio'],
  ];
}

function listenerLimits(listener: ListenerSettings): LimitRow[] {
  const { name, head, headMs, keepAliveIdleMs, proxyProtocol, trustedHops, tunnelsPerIpMax } = listener;
  const own = `listeners.${name}`;
  const proxied: LimitRow[] =
    proxyProtocol === null
      ? []
      : [['proxyHeaderMs', proxyProtocol.headerMs, `${own}.proxyProtocol.headerMs`]];
  return [
    ...proxied,
    ['trustedHops', trustedHops, `${own}.trustedHops`],
    ['headMs', headMs, `${own}.headMs`],
    ['keepAliveIdleMs', keepAliveIdleMs, `${own}.keepAliveIdleMs`],
    ['headBytesMax', head.headBytesMax, `${own}.head.headBytesMax`],
    ['headerCountMax', head.headerCountMax, `${own}.head.headerCountMax`],
    ['tunnelsPerIpMax', tunnelsPerIpMax, `${own}.tunnelsPerIpMax`],
    ['uriBytesMax', head.uriBytesMax, `${own}.head.uriBytesMax`],
  ];
}

function routeLimits(route: RouteSettings, listener: string): LimitRow[] {
  const limits = route.listeners[listener];
  const own = `routes.${route.name}`;
  const bound = `${own}.listeners.${listener}`;
  return [
    ['bodyIdleMs', limits?.bodyIdleMs ?? null, `${bound}.bodyIdleMs`],
    ['bodyBytesMax', limits?.bodyBytesMax ?? null, `${bound}.bodyBytesMax`],
    ['uploadBytesPerSecondMin', limits?.uploadBytesPerSecondMin ?? null, `${bound}.uploadBytesPerSecondMin`],
    [
      'downloadBytesPerSecondMin',
      limits?.downloadBytesPerSecondMin ?? null,
      `${bound}.downloadBytesPerSecondMin`,
    ],
    ['requestMs', limits?.requestMs ?? null, `${bound}.requestMs`],
    ...route.rateLimits.map(
      ({ name, count, periodMs, store }, at): LimitRow => [
        `rate ${name} per ${periodMs} ms${store === null ? '' : ` in ${store}`}`,
        count,
        `${own}.rateLimits.${at}.count`,
      ],
    ),
  ];
}

function forwardLimits(route: RouteSettings): LimitRow[] {
  const own = `routes.${route.name}`;
  return [
    ['responseHeadMs', route.responseHeadMs, `${own}.responseHeadMs`],
    ['responseIdleMs', route.responseIdleMs, `${own}.responseIdleMs`],
    ['tunnelIdleMs', route.tunnelIdleMs, `${own}.tunnelIdleMs`],
    ['retries.perTryMs', route.retries.perTryMs, `${own}.retries.perTryMs`],
    ['retries.attemptsMax', route.retries.attemptsMax, `${own}.retries.attemptsMax`],
  ];
}

function clusterLimits(plan: Plan, name: string): LimitRow[] {
  const cluster = plan.clusters[name];
  if (cluster === undefined) return [];
  const own = `clusters.${name}`;
  const { pool, circuitBreaker, retryBudget } = cluster;
  const rows: LimitRow[] = [
    [`${name}.connectTimeoutMs`, pool.connectTimeoutMs, `${own}.pool.connectTimeoutMs`],
    [`${name}.connectionsMax`, pool.connectionsMax, `${own}.pool.connectionsMax`],
    [`${name}.queueMax`, pool.queueMax, `${own}.pool.queueMax`],
    [`${name}.queueTimeoutMs`, pool.queueTimeoutMs, `${own}.pool.queueTimeoutMs`],
    [`${name}.retryBudget.ratio`, retryBudget.ratio, `${own}.retryBudget.ratio`],
  ];
  if (circuitBreaker !== null) {
    const { failureRatio, requestsMin, windowMs, openMs } = circuitBreaker;
    const at = `${own}.circuitBreaker`;
    rows.push(
      [`${name}.circuit.failureRatio`, failureRatio, `${at}.failureRatio`],
      [`${name}.circuit.requestsMin`, requestsMin, `${at}.requestsMin`],
      [`${name}.circuit.windowMs`, windowMs, `${at}.windowMs`],
      [`${name}.circuit.openMs`, openMs, `${at}.openMs`],
    );
  }
  return rows;
}

function chooseListener(plan: Plan, name: string | null, url: URL): ListenerSettings | string {
  const all = Object.values(plan.listeners);
  if (name !== null)
    return (
      plan.listeners[name] ??
      `there is no listener "${name}"; listeners: ${Object.keys(plan.listeners).join(', ')}`
    );
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 80));
  const onPort = all.find(({ address }) => address.kind === 'tcp' && address.port === port);
  return onPort ?? all.find(({ tls }) => (tls !== null) === secure) ?? all[0] ?? 'there is no listener';
}

/** Flat list from `name: value` texts; null if one has no colon. */
function readHeaders(texts: readonly string[]): string[] | null {
  const list: string[] = [];
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon <= 0) return null;
    list.push(text.slice(0, colon).trim(), text.slice(colon + 1).trim());
  }
  return list;
}
