/**
 * A backend on 127.0.0.1 that does exactly what a test says, also what no decent server does.
 *
 *   const backend = await startBackend(inTurn(resetBeforeHead(), answer({ body: 'second time' })));
 *
 * A `Behaviour` is told of one request when its head is there, and ends when it has done what it wants with it.
 * Requests of one connection come one after the other. The named behaviours are in backend_behaviours.ts.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import type { KeyPair } from './certificates.ts';
import { framingOf, type MessageBody, readBody, readHead } from './http1_message.ts';
import { SocketReader } from './socket_reader.ts';

/** One request as the backend sees it. */
export interface BackendRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly string[];
  /** From 1, over all connections. */
  readonly number: number;
  /** From 1, on this connection. */
  readonly numberOnConnection: number;
  readonly reader: SocketReader;
  readonly socket: Socket;
  /** Waits for the whole body. A behaviour that never asks leaves it to be read after it is done. */
  body(): Promise<MessageBody>;
}

/**
 * `done`: the next request may come. `over`: nothing more is said; whatever comes is dropped, and when the peer
 * closes, the connection ends. `taken`: the connection belongs to somebody else, or nobody reads it at all.
 */
export type Outcome = 'done' | 'over' | 'taken';
export type Behaviour = (request: BackendRequest) => Promise<Outcome> | Outcome;

export interface BackendOptions {
  readonly tls?: KeyPair & { readonly requestCert?: boolean; readonly ca?: string };
  /** A Unix socket instead of a port. */
  readonly path?: string;
  /** The same port again, for a backend that comes back. */
  readonly port?: number;
  /** 127.0.0.1 unless a test wants several machines. */
  readonly host?: string;
  /** What happens to each connection (from 1) before a byte is read. */
  readonly onConnection?: (number: number) => 'serve' | 'reset' | 'stay_silent';
}

/** `await using backend = await startBackend(...)` closes it at the end of the block. */
export interface ScriptedBackend extends AsyncDisposable {
  readonly port: number;
  /** As in a configuration: `127.0.0.1:9000` or `unix:/path`. */
  readonly address: string;
  /** All heads that came, in order. */
  readonly requests: readonly BackendRequest[];
  /** Connections so far, open now, and most at once. */
  readonly connections: { readonly total: number; readonly open: number; readonly peak: number };
  /** Another behaviour for the requests that come from now on. */
  behave(behaviour: Behaviour): void;
  /** Resolves when so many heads have come. */
  requestCount(atLeast: number): Promise<void>;
  /** Resolves when no connection is open. */
  noConnections(): Promise<void>;
  /** Cuts all connections, and closes the port. */
  close(): Promise<void>;
}

export async function startBackend(first: Behaviour, options: BackendOptions = {}): Promise<ScriptedBackend> {
  const { host = '127.0.0.1' } = options;
  let behaviour = first;
  const requests: BackendRequest[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const changed = () =>
    waiting.forEach(check => {
      check();
    });
  let total = 0;
  let peak = 0;

  const onSocket = (socket: Socket) => {
    total++;
    sockets.add(socket);
    peak = Math.max(peak, sockets.size);
    socket.on('close', () => {
      sockets.delete(socket);
      changed();
    });
    socket.on('error', () => {}); // the peer may go at any time; who cares looks at the reader
    const fate = options.onConnection?.(total) ?? 'serve';
    if (fate === 'reset') socket.resetAndDestroy();
    if (fate === 'serve') void serve(socket);
  };

  const serve = async (socket: Socket) => {
    const reader = new SocketReader(socket);
    for (let numberOnConnection = 1; ; numberOnConnection++) {
      const request = await nextRequest(reader, requests.length + 1, numberOnConnection);
      if (request === null) break;
      requests.push(request);
      changed();
      const outcome = await behaviour(request);
      if (outcome === 'taken') return;
      if (outcome === 'over') break;
      await request.body(); // what nobody asked for is in the way of the next head
    }
    while ((await reader.some()) !== null);
    socket.end();
  };

  const server =
    options.tls === undefined
      ? net.createServer({ noDelay: true, allowHalfOpen: true }, onSocket)
      : tls.createServer({ ...options.tls, rejectUnauthorized: options.tls.requestCert === true }, onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (options.path === undefined) server.listen(options.port ?? 0, host, resolve);
    else server.listen(options.path, resolve);
  });
  const port = options.path === undefined ? (server.address() as AddressInfo).port : 0;

  const until = (condition: () => boolean): Promise<void> =>
    new Promise(resolve => {
      const check = () => {
        if (!condition()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });

  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve()); // at once when it was closed before
      for (const socket of sockets) socket.destroy();
    });

  return {
    port,
    address: options.path === undefined ? `${host}:${port}` : `unix:${options.path}`,
    requests,
    get connections() {
      return { total, open: sockets.size, peak };
    },
    behave(next) {
      behaviour = next;
    },
    requestCount: atLeast => until(() => requests.length >= atLeast),
    noConnections: () => until(() => sockets.size === 0),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function nextRequest(
  reader: SocketReader,
  number: number,
  numberOnConnection: number,
): Promise<BackendRequest | null> {
  const head = await readHead(reader);
  if (head === null) return null;
  const [method = '', target = '', version = ''] = head.startLine.split(' ');
  let body: Promise<MessageBody> | null = null;
  const { headers } = head;
  return {
    method,
    target,
    version,
    headers,
    number,
    numberOnConnection,
    reader,
    socket: reader.socket,
    body() {
      body ??= readBody(reader, framingOf(headers, null));
      return body;
    },
  };
}

/** Nobody listens there, and no test can be given it: a connection is refused. */
export const REFUSING = '127.0.0.1:1';

/** A port that is free now, for somebody who will listen; until then a connection is refused. */
export async function closedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
