/**
 * One question to one endpoint from the side: does it connect, does it answer as expected? The connection is opened
 * in the way that traffic opens it (address, TLS, verification) and closed after the answer's head.
 */
import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';

export type ProbeSettings =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http'; readonly path: string; readonly statusMin: number; readonly statusMax: number };

/** Opens a connection in the way that traffic does; the function it returns gives up. */
export type OpenSocket = (callback: (failure: Failure | null, socket: Socket | null) => void) => () => void;

export interface ProbeTarget {
  readonly open: OpenSocket;
  /** For `Host` or `:authority`. */
  readonly authority: string;
  /** The endpoint speaks HTTP/2 and perhaps nothing else; absent: HTTP/1.1. */
  readonly http2?: boolean;
}

/** `cause` is for a person: `status 200`, `connect_refused`, ... */
export type ProbeCallback = (ok: boolean, cause: string) => void;

const USER_AGENT = 'fairlead-health';

/** Calls back exactly once; the function it returns gives up without calling back. */
export function probe(
  settings: ProbeSettings,
  target: ProbeTarget,
  timeoutMs: number,
  clock: Clock,
  callback: ProbeCallback,
): () => void {
  let done = false;
  let socket: Socket | null = null;
  let giveUp: (() => void) | null = null;
  const stop = (): void => {
    done = true;
    clock.cancelTimer(timer);
    giveUp?.();
    socket?.destroy();
  };
  const finish: ProbeCallback = (ok, cause) => {
    if (done) return;
    stop();
    callback(ok, cause);
  };
  const timer = clock.setTimer(() => finish(false, `no answer within ${timeoutMs} ms`), timeoutMs, undefined);
  giveUp = target.open((failure, opened) => {
    giveUp = null;
    socket = opened;
    if (failure !== null || opened === null) finish(false, failure?.kind ?? 'connect_refused');
    else if (settings.kind === 'tcp') finish(true, 'connected');
    else {
      const judge = (status: number): void =>
        finish(status >= settings.statusMin && status <= settings.statusMax, `status ${status}`);
      const ask = target.http2 === true ? askHttp2 : askHttp1;
      ask(opened, settings.path, target.authority, judge, error => finish(false, causeOf(error)));
    }
  });
  return stop;
}

type Ask = (
  socket: Socket,
  path: string,
  authority: string,
  onStatus: (status: number) => void,
  onError: (error: Error) => void,
) => void;

const askHttp1: Ask = (socket, path, authority, onStatus, onError) => {
  const request = http.get({
    path,
    headers: { host: authority, 'user-agent': USER_AGENT, connection: 'close' },
    createConnection: () => socket,
  });
  request.on('error', onError);
  request.on('upgrade', () => onStatus(101)); // nobody asked for that
  request.on('response', answer => {
    answer.resume();
    onStatus(answer.statusCode ?? 0);
  });
};

const askHttp2: Ask = (socket, path, authority, onStatus, onError) => {
  const session = http2.connect('http://backend', { createConnection: () => socket });
  session.on('error', onError);
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  const stream = session.request({
    ':scheme': scheme,
    ':authority': authority,
    ':path': path,
    'user-agent': USER_AGENT,
  });
  stream.on('error', onError);
  stream.on('close', () => onError(new Error('closed'))); // without an error, and without an answer
  stream.on('response', headers => onStatus(headers[':status'] ?? 0));
};

function causeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
