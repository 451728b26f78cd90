/** node:http's client on a connection that is open already: for what undici does not send. */
import http, { type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { UpstreamRequest } from './upstream.ts';

/**
 * Without the announcement of trailers, which is optional (RFC 9110 section 6.6.2) and which Node refuses where there is
 * no chunked body. Null: Node refuses the head for another reason; the socket is destroyed.
 */
export function requestOn(
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
      createConnection: () => socket,
    });
  } catch {
    socket.destroy();
    return null;
  }
}

function withoutTrailer(headers: readonly string[]): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'trailer');
}
