/**
 * The steps of a request in order: read its head, identify the client, find the route, admit, act.
 *
 * Everything here happens synchronously. What takes time continues elsewhere: shared limits and passwords in `admission.ts`,
 * a backend and a body in `forward.ts`.
 */
import { isIP } from 'node:net';
import { covers } from '../net/certificate_names.ts';
import { begunTraceparent, joinTrace, parseTraceparent, traceIdOf } from '../observability/trace_context.ts';
import type { Failure } from '../resilience/failure.ts';
import { expandRedirect } from '../routing/rewrite.ts';
import { pickTarget } from '../routing/split.ts';
import { type ProxyTrust, resolveClientAddress, writes } from '../security/client_address.ts';
import { acceptRequestId, DEADLINE_FIELD, detectLoop, editHeaders, findHeader } from '../security/headers.ts';
import { bodyLengthFailure } from '../security/limits.ts';
import { parseRequestHead, type RequestHead } from '../security/request_head.ts';
import { Admission } from './admission.ts';
import type { BoundRoute } from './data_plane.ts';
import { forwardRequest } from './forward.ts';
import { askLimits, type Charged } from './rate_limits.ts';
import type { RequestContext, RoutingContext } from './request.ts';
import type { Responder } from './responder.ts';

export function handleRequest(context: RoutingContext, responder: Responder): void {
  try {
    const failure = routeRequest(context, responder);
    if (failure !== null) responder.fail(failure);
  } catch (error) {
    responder.failInternally(error);
  }
}

/** Returns null once a response was given or is in progress. */
function routeRequest(context: RoutingContext, responder: Responder): Failure | null {
  const { raw, services } = context;
  const { settings, trust, access, router } = context.bound;
  const head = parseRequestHead(raw, settings.head, settings.paths, settings.headers);
  if ('kind' in head) return head;
  context.head = head;
  const unknown = identify(context, trust, head);
  if (unknown !== null) return unknown;
  const { clientIp } = context;

  if (head.path === settings.healthPath) return respondHealth(context, responder);
  const wrongPeer = checkTls(context, head);
  if (wrongPeer !== null) return wrongPeer;
  const overloaded = shed(context);
  if (overloaded !== null) return overloaded;
  const wrong = readDeadline(context, head);
  if (wrong !== null) return wrong;
  if (context.deadlineAtMs !== null && context.deadlineAtMs <= context.startedAtMs) {
    responder.fail(
      { kind: 'request_timeout', afterMs: 0 },
      { name: 'request', ms: 0, origin: DEADLINE_FIELD },
    );
    return null;
  }
  if (!access.allows(clientIp)) return { kind: 'access_denied', by: `listeners.${settings.name}.access` };
  if (detectLoop(head.headers, services.instanceId)) return { kind: 'loop_detected' };
  const route = router.match(head);
  if (route === null) return { kind: 'no_route' };
  context.route = route;
  const admitted = admit(context, route, head);
  if ('kind' in admitted) return admitted;
  if (route.storeLimits === null && route.basicAuth === null) return act(context, responder, route, head);
  const proceed = (): Failure | null => act(context, responder, route, head);
  new Admission(context, responder, route, head, admitted, proceed).start();
  return null;
}

/** Sets client address, request id and trace, and whether the client may see the decision record. */
function identify(context: RoutingContext, trust: ProxyTrust, head: RequestHead): Failure | null {
  const { explainFrom } = context.plane;
  const address = resolveClientAddress(context.peerIp, trust, head.headers);
  const { clientIp, peerTrusted } = address;
  context.clientIp = clientIp;
  context.peerTrusted = peerTrusted;
  context.clientSource = address.source;
  context.claim = address.claim;
  const ownId = context.requestId;
  context.requestId = offeredRequestId(peerTrusted && writes(trust, 'x-request-id'), head) ?? ownId;
  traceRequest(context, head, ownId);
  if (explainFrom?.contains(clientIp) === true)
    context.explainWanted = findHeader(head.headers, 'x-fairlead-explain') === '1';
  // Its client could pass for the proxy itself, which may be allowed more.
  return address.malformed ? { kind: 'bad_request', detail: 'The Forwarded field is malformed.' } : null;
}

/**
 * What the handshake could not refuse: a client certificate that is not valid, and a request for a host that the
 * certificate shown to the client does not cover (RFC 9110 section 7.4). HTTP/2 clients may use one connection for all the
 * names of its certificate (RFC 9113 section 9.1.1).
 */
function checkTls({ peer, bound }: RequestContext, { matchHost }: RequestHead): Failure | null {
  if (peer.tls === null) return null;
  const { presented, clientProblem } = peer.tls;
  if (clientProblem !== null)
    return { kind: 'bad_request', detail: `The client certificate is not valid: ${clientProblem}.` };
  if (presented === null || bound.settings.tls?.rejectMisdirected !== true) return null;
  return covers(presented, matchHost) ? null : { kind: 'misdirected_request' };
}

/** First of all checks, because an overloaded process must not spend time on requests that it will refuse. */
function shed({ services }: RequestContext): Failure | null {
  const signal = services.overload.refusal(services.random);
  if (signal === null) return null;
  services.telemetry.shed(signal);
  return { kind: 'overloaded', signal };
}

/** The deadline of a peer that is not trusted is ignored. */
function readDeadline(context: RoutingContext, head: RequestHead): Failure | null {
  const isBelieved = context.peerTrusted && writes(context.bound.trust, 'x-request-deadline-ms');
  const written = isBelieved ? findHeader(head.headers, 'x-request-deadline-ms') : null;
  if (written === null) return null;
  if (!/^\d{1,9}$/.test(written))
    return { kind: 'bad_request', detail: `${DEADLINE_FIELD} is not a whole number of milliseconds.` };
  context.deadlineAtMs = context.startedAtMs + Number(written);
  return null;
}

/** Joins the trace where spans are exported; otherwise passes it on, or starts one. */
function traceRequest(context: RoutingContext, head: RequestHead, ownId: string): void {
  const { propagate, start, sample } = context.plane.tracing;
  if (!propagate) return;
  const parent = parseTraceparent(findHeader(head.headers, 'traceparent'));
  if (parent === null && !start) return;
  const traceId = parent?.traceId ?? traceIdOf(ownId);
  context.traceId = traceId;
  if (sample !== null) context.trace = joinTrace(parent, sample, traceId, context.services.random.hex(8));
  else if (parent === null) context.begunTraceparent = begunTraceparent(traceId);
}

/** An id from outside is used only from a trusted peer, and only if it is safe in logs and headers. */
function offeredRequestId(isBelieved: boolean, head: RequestHead): string | null {
  const offered = isBelieved ? findHeader(head.headers, 'x-request-id') : null;
  return offered !== null && acceptRequestId(offered) ? offered : null;
}

/** Access, maintenance, body size and the rate limits of this process, checked before any backend is involved. */
function admit(context: RoutingContext, route: BoundRoute, head: RequestHead): Failure | Charged {
  if (!route.access.allows(context.clientIp))
    return { kind: 'access_denied', by: `routes.${route.settings.name}.access` };
  const down = route.maintenance?.refusal(context.clientIp, () =>
    context.plane.origins.get(`routes.${route.settings.name}.maintenance`),
  );
  if (down != null) return down;
  const tooLarge = bodyLengthFailure(head.contentLength, route.limits.bodyBytesMax);
  if (tooLarge !== null) return tooLarge;
  return askLimits(context, route, head);
}

/** Counts from the handshake on, so that handshakes without a response have the same limit. */
function admitTunnel(context: RoutingContext): Failure | null {
  const { clientIp, peer, services } = context;
  const { settings, trust } = context.bound;
  const limit = settings.tunnelsPerIpMax;
  // A load balancer that names no client stands for all of them, and a peer on a Unix socket has no address.
  const isUnnamed = settings.proxyProtocol !== null && clientIp === peer.socketIp;
  if (limit === null || isIP(clientIp) === 0 || isUnnamed || trust.networks.contains(clientIp)) return null;
  context.tunnelKey = services.traffic.tunnelsPerClient.take(settings.name, clientIp, limit);
  return context.tunnelKey === null ? { kind: 'too_many_tunnels', limit } : null;
}

function act(
  context: RoutingContext,
  responder: Responder,
  route: BoundRoute,
  head: RequestHead,
): Failure | null {
  const { action } = route;
  switch (action.kind) {
    case 'forward': {
      if (head.upgrade === 'websocket') {
        const refused = admitTunnel(context);
        if (refused !== null) return refused;
      }
      const cluster = pickTarget(action.split, context.services.random.unit());
      context.cluster = cluster;
      forwardRequest(context, responder, route, cluster, head);
      return null;
    }
    case 'redirect': {
      const location = ['Location', expandRedirect(action.to, head)];
      return respond(context, responder, action.status, edited(route, location), '');
    }
    case 'respond':
      return respond(context, responder, action.status, edited(route, action.headers), action.body);
  }
}

function edited({ responseEdits }: BoundRoute, headers: readonly string[]): readonly string[] {
  return editHeaders(headers, responseEdits);
}

/** For load balancers that can only check the port that they send traffic to. */
function respondHealth(context: RequestContext, responder: Responder): null {
  const ready = context.services.isReady();
  const headers = ['Content-Type', 'text/plain', 'Cache-Control', 'no-store'];
  return respond(context, responder, ready ? 200 : 503, headers, ready ? 'ready\n' : 'not ready\n');
}

function respond(
  { requestId }: RequestContext,
  responder: Responder,
  status: number,
  headers: readonly string[],
  body: string,
): null {
  const length = status === 204 || status === 304 ? [] : ['Content-Length', String(Buffer.byteLength(body))];
  responder.respond(status, [...headers, ...length, 'X-Request-Id', requestId], body);
  return null;
}
