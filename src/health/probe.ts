/** One question to one endpoint from the side: does it connect, does it answer as expected? */
import http from 'node:http';
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
  /** For `Host`. */
  readonly authority: string;
}

/** Calls back exactly once; the function it returns gives up without calling back. */
export function probe(
  settings: ProbeSettings,
  target: ProbeTarget,
  timeoutMs: number,
  clock: Clock,
  callback: (ok: boolean, cause: string) => void,
): () => void {
  let done = false;
  let socket: Socket | null = null;
  const stop = (): void => {
    done = true;
    clock.cancelTimer(timer);
    giveUp?.();
    socket?.destroy();
  };
  const finish = (ok: boolean, cause: string): void => {
    if (done) return;
    stop();
    callback(ok, cause);
  };
  const timer = clock.setTimer(() => finish(false, `no answer within ${timeoutMs} ms`), timeoutMs, undefined);
  let giveUp: (() => void) | null = null;
  giveUp = target.open((failure, opened) => {
    giveUp = null;
    socket = opened;
    if (failure !== null || opened === null) finish(false, failure?.kind ?? 'connect_refused');
    else if (settings.kind === 'tcp') finish(true, 'connected');
    else ask(opened, settings, target.authority, finish);
  });
  return stop;
}

function ask(
  socket: Socket,
  settings: Extract<ProbeSettings, { kind: 'http' }>,
  authority: string,
  finish: (ok: boolean, cause: string) => void,
): void {
  const request = http.get({
    path: settings.path,
    headers: { host: authority, 'user-agent': 'fairlead-health', connection: 'close' },
    createConnection: () => socket,
  });
  request.on('error', error => finish(false, 'code' in error ? String(error.code) : error.message));
  request.on('response', answer => {
    answer.resume();
    const status = answer.statusCode ?? 0;
    finish(status >= settings.statusMin && status <= settings.statusMax, `status ${status}`);
  });
}
