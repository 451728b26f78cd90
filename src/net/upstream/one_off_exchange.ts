/** One request through node:http on a one-off connection, for `OPTIONS *`, which undici refuses to send. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { headFailure, oneOffRequest } from '../one_off_request.ts';
import type { UpstreamHandler, UpstreamRequest } from '../upstream.ts';

/** A request in progress. After `cancel` its handler is not called any more. */
export interface OneOffExchange {
  resume(): void;
  cancel(): void;
  onSocketError(error: Error): void;
}

/** Sends the request. The handler has had `onConnected`; the other callbacks follow. */
export function sendOnSocket(
  socket: Socket,
  request: UpstreamRequest,
  handler: UpstreamHandler,
): OneOffExchange {
  const exchange = oneOffRequest(socket, request, ['Connection', 'close']);
  if (exchange === null) {
    handler.onError({ kind: 'internal', detail: 'the request cannot be sent' });
    return { resume: () => {}, cancel: () => {}, onSocketError: () => {} };
  }
  let response: IncomingMessage | null = null;
  let over = false;
  const fail = (error: Error & { code?: unknown }): void => {
    if (over) return;
    over = true;
    if (response === null) handler.onError(headFailure(error));
    else
      handler.onError({
        kind: 'reset_in_body',
        code: typeof error.code === 'string' ? error.code : 'UNKNOWN',
      });
  };
  exchange.on('error', fail);
  exchange.on('information', info => {
    if (!over) handler.onInformation(info.statusCode, info.rawHeaders);
  });
  const switched = () => fail(Object.assign(new Error('nobody asked for a switch'), { code: 'HPE_UPGRADE' }));
  exchange.on('upgrade', (_message, upgraded) => {
    upgraded.destroy();
    switched();
  });
  exchange.on('response', message => {
    if (over) return;
    if (message.statusCode === 101) {
      switched();
      exchange.destroy();
      return;
    }
    response = message;
    handler.onHead(message.statusCode ?? 502, message.statusMessage ?? '', message.rawHeaders, false);
    message.on('error', fail);
    message.on('data', (chunk: Buffer) => {
      if (!over && !handler.onData(chunk)) message.pause();
    });
    message.on('end', () => {
      if (over) return;
      over = true;
      handler.onEnd(message.rawTrailers.length > 0 ? message.rawTrailers : null);
    });
  });
  if (request.body instanceof Readable) request.body.pipe(exchange);
  else exchange.end(request.body);
  return {
    resume: () => response?.resume(),
    cancel() {
      over = true;
      exchange.destroy();
    },
    onSocketError: () => {}, // node:http handles errors of the socket itself
  };
}
