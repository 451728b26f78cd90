/**
 * Explains what would happen to a request, without sending it: the route, why more specific routes do not match, what
 * the backend would receive, and which settings apply, each with the line that set it.
 */

import type { Plan } from '../config/plan.ts';
import type { SettingOrigins } from '../http/data_plane.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import { formatAddress } from '../net/address.ts';
import { detailOf, FAILURE_RULES, type Failure } from '../resilience/failure.ts';
import { buildMaintenance } from '../routing/maintenance.ts';
import { requestEditsOf } from '../routing/request_edits.ts';
import { buildRedirect, buildRewrite, expandRedirect, rewriteTarget } from '../routing/rewrite.ts';
import type { RouteSettings } from '../routing/route.ts';
import { buildRouter } from '../routing/router.ts';
import { buildAccessList } from '../security/access.ts';
import { buildProxyTrust, type ClientAddress, resolveClientAddress } from '../security/client_address.ts';
import { buildHeaderEdits, buildUpstreamHeaders, maskSecretFields } from '../security/headers.ts';
import { parseRequestHead, type RequestHead } from '../security/request_head.ts';
import { describeEdits } from './edits_in_force.ts';
import { findElsewhere } from './elsewhere.ts';
import { type Asked, type Question, understand } from './explain_question.ts';
import type { Explained, Explanation, Target } from './explanation.ts';
import { grpcHint } from './grpc_hint.ts';
import { describeLimits } from './settings_in_force.ts';

/** The parts of an explanation that a request without a route does not have. */
const NOTHING = {
  route: null,
  auth: null,
  nearer: [],
  elsewhere: null,
  action: null,
  targets: [],
  upstream: null,
  hints: [],
} as const;

export function explainOffline(plan: Plan, origins: SettingOrigins, question: Question): Explained {
  const asked = understand(plan, question);
  if (typeof asked === 'string') return { error: asked };
  const { listener, target, headers } = asked;
  const raw = {
    method: question.method,
    target,
    headers,
    protocol: 'HTTP/1.1' as const,
    authority: null,
    endOfStream: true,
  };
  const parsed = parseRequestHead(raw, listener.head, listener.paths, listener.headers);
  const kept = 'kind' in parsed ? raw.headers : parsed.headers;
  const address = resolveClientAddress(question.clientIp, buildProxyTrust(listener), kept);
  const head = address.malformed ? UNREADABLE_CLIENT : parsed;
  const base = {
    listener: listener.name,
    listenerAddress: formatAddress(listener.address),
    otherListeners: asked.alternatives,
    client: {
      ip: address.clientIp,
      peerTrusted: address.peerTrusted,
      from: whoSays(question.clientIp, address),
    },
  };
  const request = { method: raw.method, host: asked.host, path: target, matchPath: '' };
  if ('kind' in head) return { ...base, request, ...withoutRoute(plan, origins, listener, head) };
  return {
    ...base,
    request: { ...request, host: head.authority, matchPath: head.matchPath },
    ...explainRoute(plan, origins, asked, head, { ...address, peerIp: question.clientIp }),
  };
}

const UNREADABLE_CLIENT: Failure = { kind: 'bad_request', detail: 'The Forwarded field is malformed.' };

type RoutePart = Omit<Explanation, 'listener' | 'listenerAddress' | 'otherListeners' | 'client' | 'request'>;

function withoutRoute(
  plan: Plan,
  origins: SettingOrigins,
  listener: ListenerSettings,
  failure: Failure,
): RoutePart {
  return {
    ...NOTHING,
    origins: { listener: origins.get(`listeners.${listener.name}.address`), route: null, action: null },
    refused: refusal(failure),
    limits: describeLimits(plan, null, listener, origins),
    settings: describeEdits(null, listener, origins),
  };
}

function whoSays(peerIp: string, { source, peerTrusted }: ClientAddress): string {
  if (!peerTrusted) return '';
  return source === 'connection'
    ? '  (the peer itself: a trusted proxy that named no other client)'
    : `  (${source}, from the trusted proxy ${peerIp})`;
}

function explainRoute(
  plan: Plan,
  origins: SettingOrigins,
  asked: Asked,
  head: RequestHead,
  address: ClientAddress & { readonly peerIp: string },
): RoutePart {
  const { listener } = asked;
  const without = withoutRoute(plan, origins, listener, { kind: 'no_route' });
  if (head.path === listener.healthPath) {
    const action = origins.get(`listeners.${listener.name}.healthPath`);
    return { ...without, refused: null, action: { kind: 'health' }, origins: { ...without.origins, action } };
  }
  const { chosen, nearer } = routeOf(plan, listener.name, head);
  if (chosen === null) {
    const refused = refusalByAccess(null, listener, address.clientIp) ?? without.refused;
    return { ...without, refused, nearer, elsewhere: findElsewhere(plan, listener.name, head) };
  }
  const at = `routes.${chosen.name}`;
  const forwards = chosen.action.kind === 'forward';
  const targets = targetsOf(plan, chosen, origins);
  const hint = grpcHint(
    plan,
    origins,
    targets.map(({ cluster }) => cluster),
    head.headers,
  );
  return {
    route: chosen.name,
    origins: { ...without.origins, route: origins.get(`${at}.name`), action: origins.get(`${at}.action`) },
    refused:
      refusalByAccess(chosen, listener, address.clientIp) ??
      refusalByMaintenance(plan, chosen, address.clientIp, origins),
    auth: describeAuth(chosen, origins),
    nearer,
    elsewhere: null,
    action: describeAction(chosen, head),
    targets,
    upstream: forwards ? describeUpstream(plan, chosen, head, address, asked) : null,
    hints: hint === null ? [] : [hint],
    limits: describeLimits(plan, chosen, listener, origins),
    settings: describeEdits(chosen, listener, origins),
  };
}

/** The list of the listener is asked first, as with a real request. */
function refusalByAccess(
  route: RouteSettings | null,
  listener: ListenerSettings,
  clientIp: string,
): Explanation['refused'] {
  const lists = [{ access: listener.access, by: `listeners.${listener.name}.access` }];
  if (route !== null) lists.push({ access: route.access, by: `routes.${route.name}.access` });
  const by = lists.find(({ access }) => !buildAccessList(access).allows(clientIp));
  return by === undefined ? null : refusal({ kind: 'access_denied', by: by.by });
}

function targetsOf(plan: Plan, { action }: RouteSettings, origins: SettingOrigins): Target[] {
  if (action.kind !== 'forward') return [];
  return action.targets.flatMap(({ cluster, weight }) => {
    const settings = plan.clusters[cluster];
    if (settings === undefined) return [];
    return {
      cluster,
      weight,
      endpoints: settings.endpoints.slice(0, ENDPOINTS_MAX).map(({ address }) => formatAddress(address)),
      endpointsTotal: settings.endpoints.length,
      protocol: settings.protocol,
      origin: origins.get(`clusters.${cluster}.name`),
    };
  });
}

const ENDPOINTS_MAX = 10;

/** Null: the route serves this client. */
function refusalByMaintenance(
  { pages }: Plan,
  { name, maintenance }: RouteSettings,
  clientIp: string,
  origins: SettingOrigins,
): Explanation['refused'] {
  if (maintenance === null) return null;
  const origin = origins.get(`routes.${name}.maintenance`);
  const failure = buildMaintenance(maintenance, pages).refusal(clientIp, () => origin);
  return failure === null ? null : { reason: failure.kind, status: maintenance.status, detail: null, origin };
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

function refusal(failure: Failure): NonNullable<Explanation['refused']> {
  const { status } = FAILURE_RULES[failure.kind];
  return { reason: failure.kind, status, detail: detailOf(failure) };
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
  { secure, listener }: Asked,
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
