/** node:http's client on a connection that is open already: for what undici does not send. */
import http, { type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Failure } from '../resilience/failure.ts';
import type { UpstreamRequest } from './upstream.ts';

/** A response head above this, trailers included, is refused (HTTP/1.1). */
export const RESPONSE_HEAD_BYTES_MAX = 64 * 1024;

/**
 * Without the announcement of trailers, which is optional (RFC 9110 section 6.6.2) and which Node refuses where there is
 * no chunked body. Null: Node refuses the head for another reason; the socket is destroyed.
 */
export function oneOffRequest(
  socket: Socket,
  { method, target, authority, headers }: UpstreamRequest,
  own: readonly string[],
): ClientRequest | null {
  try {
    return http.request({
      method,
      path: target,
      headers: ['Host', authority, ...withoutTrailer(headers), ...own],
      setHost: false,
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      createConnection: () => socket,
    });
  } catch {
    socket.destroy();
    return null;
  }
}

/** Why no response head has come. */
export function headFailure({ code }: Error & { code?: unknown }): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') return { kind: 'bad_response', detail: RESPONSE_HEAD_TOO_LARGE };
  if (typeof code === 'string' && code.startsWith('HPE_'))
    return { kind: 'bad_response', detail: 'Not a valid HTTP/1.1 response.' };
  if (typeof code === 'string' && isTlsAlert(code)) return { kind: 'tls_failed', part: 'protocol', code };
  return { kind: 'reset_before_head', code: typeof code === 'string' ? code : 'UNKNOWN' };
}

/** The peer has ended the TLS connection and says why (`ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`). */
export function isTlsAlert(code: string): boolean {
  return /^ERR_SSL_.*ALERT/.test(code);
}

export const RESPONSE_HEAD_TOO_LARGE = `The response head is larger than ${RESPONSE_HEAD_BYTES_MAX / 1024} KiB.`;

function withoutTrailer(headers: readonly string[]): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'trailer');
}
