/**
 * The story of a request: read its head, decide who asks, find the route, admit, act.
 *
 * Everything here happens in one turn; what takes time goes on elsewhere: shared limits and passwords in `admission.ts`, a
 * backend and a body in `forward.ts`.
 */

import { begunTraceparent, joinTrace, parseTraceparent, traceIdOf } from '../observability/trace_context.ts';
import type { Failure } from '../resilience/failure.ts';
import { expandRedirect } from '../routing/rewrite.ts';
import { pickTarget } from '../routing/split.ts';
import { type NetworkSet, resolveClientAddress } from '../security/client_address.ts';
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
    const failure = answerRequest(context, responder);
    if (failure !== null) responder.fail(failure);
  } catch (error) {
    responder.failInternally(error);
  }
}

/** Null: a response was given, or is being worked on. */
function answerRequest(context: RoutingContext, responder: Responder): Failure | null {
  const { raw, services } = context;
  const { settings, trusted, access, router } = context.bound;
  const head = parseRequestHead(raw, settings.head, settings.paths);
  if ('kind' in head) return head;
  context.head = head;
  identify(context, trusted, head);
  const { clientIp } = context;

  if (head.path === settings.healthPath) return answerHealth(context, responder);
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

/** Who asks, by which id and in which trace, and whether they may see why they are answered as they are. */
function identify(context: RoutingContext, trusted: NetworkSet, head: RequestHead): void {
  const { explainFrom } = context.plane;
  const { clientIp, peerTrusted } = resolveClientAddress(context.peerIp, trusted, head.headers);
  context.clientIp = clientIp;
  context.peerTrusted = peerTrusted;
  const ownId = context.requestId;
  context.requestId = offeredRequestId(peerTrusted, head) ?? ownId;
  traceRequest(context, head, ownId);
  if (explainFrom?.contains(clientIp) === true)
    context.explainWanted = findHeader(head.headers, 'x-fairlead-explain') === '1';
}

/** Before anything that costs: a process that is late must not work on what it will refuse. */
function shed({ services }: RequestContext): Failure | null {
  const signal = services.overload.refusal(services.random);
  if (signal === null) return null;
  services.telemetry.shed(signal);
  return { kind: 'overloaded', signal };
}

/** What a peer that is not trusted says of its deadline is not even looked at. */
function readDeadline(context: RoutingContext, head: RequestHead): Failure | null {
  const written = context.peerTrusted ? findHeader(head.headers, 'x-request-deadline-ms') : null;
  if (written === null) return null;
  if (!/^\d{1,9}$/.test(written))
    return { kind: 'bad_request', detail: `${DEADLINE_FIELD} is not a whole number of milliseconds.` };
  context.deadlineAtMs = context.startedAtMs + Number(written);
  return null;
}

/** Takes part in the trace where spans are exported; otherwise it passes as it came, or begins here. */
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

/** An id from outside is believed only from a trusted peer, and only if it is harmless in logs and headers. */
function offeredRequestId(peerTrusted: boolean, head: RequestHead): string | null {
  const offered = peerTrusted ? findHeader(head.headers, 'x-request-id') : null;
  return offered !== null && acceptRequestId(offered) ? offered : null;
}

/** Who may pass, how much, and how often: asked before any backend is. */
function admit(context: RoutingContext, route: BoundRoute, head: RequestHead): Failure | Charged {
  if (!route.access.allows(context.clientIp))
    return { kind: 'access_denied', by: `routes.${route.settings.name}.access` };
  const tooLarge = bodyLengthFailure(head.contentLength, route.limits.bodyBytesMax);
  if (tooLarge !== null) return tooLarge;
  return askLimits(context, route, head);
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

/** For a load balancer that can only look at the port that it sends traffic to. */
function answerHealth(context: RequestContext, responder: Responder): null {
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
