/** One request on a connection of its own, through node:http: for `OPTIONS *`, which undici refuses to send. */
import http from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { UpstreamHandler, UpstreamRequest } from './upstream.ts';

export function sendOnSocket(socket: Socket, request: UpstreamRequest, handler: UpstreamHandler): void {
  handler.onConnected(false, 0);
  const exchange = http.request({
    method: request.method,
    path: request.target,
    headers: ['Host', request.authority, ...request.headers, 'Connection', 'close'],
    setHost: false,
    createConnection: () => socket,
  });
  let headSeen = false;
  let over = false;
  const fail = (error: Error & { code?: unknown }): void => {
    if (over) return;
    over = true;
    const code = typeof error.code === 'string' ? error.code : 'UNKNOWN';
    if (code.startsWith('HPE_') && !headSeen)
      handler.onError({ kind: 'bad_response', detail: 'The answer is no HTTP/1.1.' });
    else handler.onError({ kind: headSeen ? 'reset_in_body' : 'reset_before_head', code });
  };
  exchange.on('error', fail);
  exchange.on('information', info => handler.onInformation(info.statusCode, info.rawHeaders));
  exchange.on('response', answer => {
    headSeen = true;
    handler.onHead(answer.statusCode ?? 502, answer.statusMessage ?? '', answer.rawHeaders);
    answer.on('error', fail);
    answer.on('data', (chunk: Buffer) => handler.onData(chunk)); // an answer to `OPTIONS *` is small: no backpressure
    answer.on('end', () => {
      if (over) return;
      over = true;
      handler.onEnd(answer.rawTrailers.length > 0 ? answer.rawTrailers : null);
    });
  });
  if (request.body instanceof Readable) request.body.pipe(exchange);
  else exchange.end(request.body);
}
