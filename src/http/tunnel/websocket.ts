/**
 * A WebSocket handshake (RFC 6455 section 4) and what follows: the backend's own answer decides. 101 makes a
 * tunnel of raw bytes; anything else is passed to the client like any other answer.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { headFailure, requestOn } from '../../net/request_on.ts';
import type { UpstreamRequest, UpstreamSlot } from '../../net/upstream.ts';
import { type BuiltHeaderEdits, filterTunnelHeaders } from '../../security/headers.ts';
import type { Attempt } from '../exchange.ts';
import type { RequestContext } from '../request.ts';
import type { Responder, Work } from '../responder.ts';
import { Tunnel, type TunnelEnd } from './tunnel.ts';
import { handshakeProblem } from './websocket_handshake.ts';

/** Sends the handshake on a connection of its own in place of the slot's; the attempt hears what comes of it. */
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
    const handshake = requestOn(socket, request, ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
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
    handshake.on('upgrade', (answer, backend, head) => {
      if (attempt.isOver) {
        backend.destroy();
        return;
      }
      const problem = handshakeProblem(request.headers, answer.rawHeaders);
      if (problem === null)
        becomeTunnel(context, responder, attempt, answer, backend, head, tunnelIdleMs, edits);
      else {
        backend.destroy();
        refuse(problem);
      }
    });
    handshake.on('response', answer => {
      if (attempt.isOver) answer.destroy();
      else if (answer.statusCode === 101) refuse('The 101 response does not switch to websocket.');
      else relayRefusal(answer, attempt);
    });
    handshake.on('error', error => attempt.onError(headFailure(error)));
    handshake.end();
  });
}

function becomeTunnel(
  context: RequestContext,
  responder: Responder,
  attempt: Attempt,
  answer: IncomingMessage,
  backend: Duplex,
  head: Buffer,
  idleMs: number | null,
  edits: BuiltHeaderEdits,
): void {
  const { clock, traffic } = context.services;
  const client = responder.switchProtocols();
  attempt.switched();
  client.write(
    renderHead(answer.statusMessage ?? '', filterTunnelHeaders(answer.rawHeaders, context, edits)),
    'latin1',
  );
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

/** The backend said no, or something else than 101: its answer is the client's answer. */
function relayRefusal(answer: IncomingMessage, attempt: Attempt): void {
  attempt.flowsThrough({ resume: () => answer.resume(), abort: () => answer.destroy() });
  attempt.onHead(answer.statusCode ?? 502, answer.statusMessage ?? '', answer.rawHeaders, false);
  answer.on('data', (chunk: Buffer) => {
    if (!attempt.onData(chunk)) answer.pause();
  });
  answer.on('end', () => attempt.onEnd(answer.rawTrailers.length > 0 ? answer.rawTrailers : null));
  answer.on('error', error => attempt.onError({ kind: 'reset_in_body', code: errorCode(error) }));
}

function renderHead(statusText: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 ${statusText || 'Switching Protocols'}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n`;
}

function errorCode(error: Error & { code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
