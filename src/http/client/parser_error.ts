/**
 * Bytes that Node's HTTP/1.1 parser refuses, or that do not arrive in time. They get the same failure, response and
 * log line as a request, although there is none.
 */
import type { Socket } from 'node:net';
import { http } from '../../net/node_http.ts';
import type { RequestRecord } from '../../observability/events.ts';
import type { Failure } from '../../resilience/failure.ts';
import { FAILURE_RULES } from '../../resilience/failure.ts';
import { resolveClientAddress } from '../../security/client_address.ts';
import type { BoundListener } from '../data_plane.ts';
import { failureResponse } from '../failure_response.ts';
import type { ListenerSettings } from '../listener_settings.ts';
import type { Peer, Services } from '../request.ts';
import { settingOf } from '../timeout_settings.ts';

interface ParserError {
  readonly code?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/**
 * The failure that a parser error means; null if there was no request (a connection that ended or broke between
 * requests).
 */
export function parserFailure(
  error: ParserError,
  settings: Pick<ListenerSettings, 'headMs' | 'head'>,
): Failure | null {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { kind: 'client_timeout', timer: 'head', afterMs: settings.headMs };
    case 'HPE_HEADER_OVERFLOW':
      return { kind: 'head_too_large', limit: settings.head.headBytesMax, unit: 'bytes' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { kind: 'bad_request', detail: 'The chunk extensions are too large.' };
    case 'HPE_INVALID_EOF_STATE':
      return { kind: 'client_gone', phase: 'request' };
    default:
      if (error.code?.startsWith('HPE_') !== true) return null;
      return {
        kind: 'bad_request',
        detail: `Not a valid HTTP/1.1 request (${error.code.slice('HPE_'.length).toLowerCase()}).`,
      };
  }
}

export function refuseBytes(
  services: Services,
  bound: BoundListener,
  peer: Peer,
  socket: Socket,
  failure: Failure,
): void {
  const requestId = services.random.requestId();
  const { status, headers, body } = failureResponse(failure, requestId, null);
  if (failure.kind !== 'client_gone' && socket.writable) {
    let head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n`;
    for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    socket.write(`${head}Connection: close\r\n\r\n${body}`);
  }
  socket.destroySoon();

  const nowMs = services.clock.nowMs();
  const record: RequestRecord = {
    requestId,
    traceId: null,
    trace: null,
    listener: bound.settings.name,
    clientIp: peer.ip,
    user: null,
    peerIp: peer.socketIp,
    method: '',
    host: '',
    path: '',
    referer: null,
    userAgent: null,
    protocol: 'HTTP/1.1',
    status: FAILURE_RULES[failure.kind].status,
    reason: failure.kind,
    failure,
    timeout:
      failure.kind === 'client_timeout'
        ? { name: 'head', ms: failure.afterMs, origin: originOf(services, bound) }
        : null,
    retryRefused: null,
    grpcStatus: null,
    explainWanted: false,
    route: null,
    routePath: null,
    cluster: null,
    attempts: [],
    bytesIn: 0,
    bytesOut: Buffer.byteLength(body),
    startedAtMs: nowMs,
    queueMs: 0,
    pausedMs: 0,
    endedAtMs: nowMs,
    tls: peer.tls?.version ?? null,
    clientCertificate: peer.tls?.client?.subject ?? null,
    plan: services.planeRef.current.plane.digest,
  };
  const { peerTrusted, source } = resolveClientAddress(peer.ip, bound.trust, []);
  const facts = {
    peerTrusted,
    clientSource: source,
    connectionIp: peer.ip,
    policy: null,
    rateLimits: [],
    head: null,
  };
  services.telemetry.requestFinished(record, bound.handles, null, { decisionFacts: () => facts });
}

function originOf({ planeRef }: Services, { settings }: BoundListener): string {
  return planeRef.current.plane.origins.get(
    settingOf('head', { listener: settings.name, route: null, cluster: null }),
  );
}
