/**
 * A WebSocket handshake (RFC 6455 section 4) and what follows. The backend's response decides: 101 starts a tunnel of
 * raw bytes, anything else is passed to the client like any other response.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { headFailure, oneOffRequest } from '../../net/one_off_request.ts';
import type { UpstreamRequest, UpstreamSlot } from '../../net/upstream.ts';
import type { Failure } from '../../resilience/failure.ts';
import { type BuiltHeaderEdits, filterTunnelHeaders } from '../../security/headers.ts';
import type { Attempt } from '../attempt.ts';
import type { RequestContext } from '../request.ts';
import type { Responder, Work } from '../responder.ts';
import { Tunnel, type TunnelEnd } from './tunnel.ts';
import { handshakeProblem } from './websocket_handshake.ts';

/** Sends the handshake on a new connection that replaces the slot's connection, and reports the outcome to the attempt. */
export function startHandshake(
  slot: UpstreamSlot,
  request: UpstreamRequest,
  attempt: Attempt,
  context: RequestContext,
  responder: Responder,
  tunnelIdleMs: number | null,
  edits: BuiltHeaderEdits,
): void {
  const startedAtMs = context.services.clock.nowMs();
  slot.openSocket((failure, socket) => {
    if (failure !== null || socket === null) {
      attempt.onError(failure ?? { kind: 'connect_refused', code: 'CLOSED' });
      return;
    }
    attempt.onConnected(false, context.services.clock.nowMs() - startedAtMs);
    const handshake = oneOffRequest(socket, request, ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
    if (handshake === null) {
      attempt.onError({ kind: 'internal', detail: 'the handshake cannot be sent' });
      return;
    }
    attempt.flowsThrough({ resume: () => {}, abort: () => handshake.destroy() });
    const refuse = (detail: string): void => {
      handshake.destroy();
      attempt.onError({ kind: 'bad_response', detail });
    };
    handshake.on('information', info => attempt.onInformation(info.statusCode, info.rawHeaders));
    handshake.on('upgrade', (response, backend, head) => {
      if (attempt.isOver) {
        backend.destroy();
        return;
      }
      const problem = handshakeProblem(request.headers, response.rawHeaders);
      if (problem === null)
        becomeTunnel(context, responder, attempt, response, backend, head, tunnelIdleMs, edits);
      else {
        backend.destroy();
        refuse(problem);
      }
    });
    let isAnswered = false;
    handshake.on('response', response => {
      isAnswered = true;
      if (attempt.isOver) response.destroy();
      else if (response.statusCode === 101) refuse('The 101 response does not switch to websocket.');
      else relayRefusal(response, attempt);
    });
    // Node tells a reset here first, also when it comes in the body of a refusal.
    handshake.on('error', error => attempt.onError(isAnswered ? resetInBody(error) : headFailure(error)));
    handshake.end();
  });
}

function becomeTunnel(
  context: RequestContext,
  responder: Responder,
  attempt: Attempt,
  response: IncomingMessage,
  backend: Duplex,
  head: Buffer,
  idleMs: number | null,
  edits: BuiltHeaderEdits,
): void {
  const { clock, traffic } = context.services;
  const client = responder.switchProtocols();
  attempt.switched();
  const fields = [
    ...filterTunnelHeaders(response.rawHeaders, context, edits),
    ...(context.rateLimitFields ?? []),
  ];
  client.write(renderHead(response.statusMessage ?? '', fields), 'latin1');
  if (head.length > 0) backend.unshift(head);
  traffic.tunnels++;
  const onEnd = (end: TunnelEnd): void => {
    traffic.tunnels--;
    responder.onTunnelEnd(end.bytesIn, end.bytesOut, end.cause === 'idle' ? idleMs : null);
    attempt.onEnd(null);
    responder.onClientClose(true);
  };
  const tunnel = new Tunnel(client, backend, { idleMs }, clock, onEnd, () => responder.noteHeld());
  responder.tunnelledBy(tunnelAsWork(tunnel));
  tunnel.start();
}

function tunnelAsWork(tunnel: Tunnel): Work {
  return {
    waitsForBody: false,
    get heldBytes() {
      return tunnel.heldBytes;
    },
    cancel: () => tunnel.end('shutdown'),
    onClientDrain: () => {},
    goAway: () => tunnel.goAway(),
  };
}

/** Passes a response other than 101 on to the client. */
function relayRefusal(response: IncomingMessage, attempt: Attempt): void {
  attempt.flowsThrough({ resume: () => response.resume(), abort: () => response.destroy() });
  attempt.onHead(response.statusCode ?? 502, response.statusMessage ?? '', response.rawHeaders, false);
  response.on('data', (chunk: Buffer) => {
    if (!attempt.onData(chunk)) response.pause();
  });
  response.on('end', () => attempt.onEnd(response.rawTrailers.length > 0 ? response.rawTrailers : null));
  response.on('error', error => attempt.onError(resetInBody(error)));
}

function renderHead(statusText: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 ${statusText || 'Switching Protocols'}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n`;
}

function resetInBody({ code }: Error & { code?: unknown }): Failure {
  return { kind: 'reset_in_body', code: typeof code === 'string' ? code : 'UNKNOWN' };
}
