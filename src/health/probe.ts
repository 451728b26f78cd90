/**
 * One probe of one endpoint: does it connect, and does it respond as expected? The connection is opened as for
 * requests (address, TLS, verification) and closed after the result.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import { detailOf, FAILURE_RULES, type Failure } from '../resilience/failure.ts';
import { askGrpc } from './probe_grpc.ts';
import { askHttp1, askHttp2 } from './probe_http.ts';
import type { ProbeCallback, ProbeSettings } from './probe_settings.ts';
import { askWebSocket } from './probe_websocket.ts';

export type { ProbeSettings } from './probe_settings.ts';

/** Opens a connection as for requests. The returned function gives up. */
export type OpenSocket = (callback: (failure: Failure | null, socket: Socket | null) => void) => () => void;

export interface ProbeTarget {
  readonly open: OpenSocket;
  /** Value of `Host` or `:authority` in probes. */
  readonly authority: string;
  /** The endpoint may speak only HTTP/2. Absent: HTTP/1.1. */
  readonly http2?: boolean;
}

/**
 * Calls exactly one of the two callbacks, once. The returned function cancels the probe without a call. `onUnsent`:
 * this machine has no descriptor or port left, which says nothing about the endpoint.
 */
export function probe(
  settings: ProbeSettings,
  target: ProbeTarget,
  timeoutMs: number,
  clock: Clock,
  callback: ProbeCallback,
  onUnsent: () => void,
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
  const unsent = (): void => {
    if (done) return;
    stop();
    onUnsent();
  };
  const timer = clock.setTimer(
    () => finish(false, `no response within ${timeoutMs} ms`),
    timeoutMs,
    undefined,
  );
  giveUp = target.open((failure, opened) => {
    giveUp = null;
    socket = opened;
    if (failure !== null && FAILURE_RULES[failure.kind].blame !== 'upstream') unsent();
    else if (failure !== null || opened === null)
      finish(false, failure === null ? 'connect_refused' : causeOf(failure));
    else ask(settings, opened, target, finish);
  });
  return stop;
}

/** `tls_failed (protocol ERR_SSL_WRONG_VERSION_NUMBER)`: without requests no log line would have the code. */
function causeOf(failure: Failure): string {
  const detail = detailOf(failure);
  return detail === null ? failure.kind : `${failure.kind} (${detail})`;
}

function ask(settings: ProbeSettings, socket: Socket, target: ProbeTarget, report: ProbeCallback): void {
  const { authority, http2 = false } = target;
  if (settings.kind === 'tcp') report(true, 'connected');
  else if (settings.kind === 'grpc') askGrpc(settings.service, socket, authority, report);
  else if (settings.kind === 'webSocket') askWebSocket(settings, socket, authority, report);
  else if (http2) askHttp2(settings, socket, authority, report);
  else askHttp1(settings, socket, authority, report);
}
