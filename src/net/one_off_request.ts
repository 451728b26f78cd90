/** A request through node:http's client on an existing connection, for requests that undici does not send. */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Failure } from '../resilience/failure.ts';
import { http } from './node_http.ts';
import type { UpstreamRequest } from './upstream.ts';

/** Limit for an HTTP/1.1 response head, and for its trailers. */
export const RESPONSE_HEAD_BYTES_MAX = 64 * 1024;

/**
 * Creates the request; the caller sends the body and ends it. The `Trailer` field is left out: it is optional (RFC
 * 9110 section 6.6.2), and Node refuses it without a chunked body. Returns null if Node refuses the head for another
 * reason; the socket is then destroyed.
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

/** The failure that an error before the response head means. */
export function headFailure({ code }: Error & { code?: unknown }): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') return { kind: 'bad_response', detail: RESPONSE_HEAD_TOO_LARGE };
  if (typeof code === 'string' && code.startsWith('HPE_'))
    return { kind: 'bad_response', detail: 'Not a valid HTTP/1.1 response.' };
  if (typeof code === 'string' && isTlsAlert(code)) return { kind: 'tls_failed', part: 'protocol', code };
  return { kind: 'reset_before_head', code: typeof code === 'string' ? code : 'UNKNOWN' };
}

/** The peer has ended the TLS connection with an alert, such as `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`. */
export function isTlsAlert(code: string): boolean {
  return /^ERR_SSL_.*ALERT/.test(code);
}

export const RESPONSE_HEAD_TOO_LARGE = `The response head is larger than ${RESPONSE_HEAD_BYTES_MAX / 1024} KiB.`;

function withoutTrailer(headers: readonly string[]): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'trailer');
}
