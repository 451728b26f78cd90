/**
 * One place where clients connect: bind, accept within limits, TLS, and which protocol the client speaks. What
 * comes out is a socket on which HTTP begins.
 *
 *   accept ──> counted? ──> TLS? ──ALPN──> http1 | http2
 *                 │           └─ none ──h2c allowed?──> first bytes decide
 *                 └─ over a limit: reset at once, counted, said once a second
 */
import { unlinkSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { Event } from '../observability/events.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Connection, ConnectionTable, RefusalCause } from './connection.ts';
import { type Address, formatAddress } from './endpoint.ts';
import { inheritedDescriptor } from './socket_activation.ts';
import { type ServerTlsSettings, serverTlsOptions } from './tls.ts';

/** What `net` needs to open one listener. Null is `off`: no limit. */
export interface SocketListenerSettings {
  readonly name: string;
  readonly address: Address;
  readonly tls: ServerTlsSettings | null;
  /** Offer `h2` by ALPN where there is TLS. */
  readonly http2: boolean;
  /** Accept HTTP/2 by prior knowledge on a connection without TLS (RFC 9113 section 3.3). */
  readonly h2c: boolean;
  readonly connectionsMax: number | null;
  readonly connectionsPerIpMax: number | null;
  /** A TLS handshake, and the first bytes of HTTP, must be there in this time. */
  readonly headMs: number;
}

export interface ListenerDeps {
  readonly clock: Clock;
  readonly connections: ConnectionTable;
  readonly processConnectionsMax: () => number;
  /** How a remote address is shown, and what counts as one client (`security/client_address`). */
  readonly plainAddress: (ip: string) => string;
  readonly clientKey: (ip: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onConnection: (socket: Socket, connection: Connection, protocol: 'http1' | 'http2') => void;
  readonly emit: (event: Event) => void;
}

export interface Listener {
  /** As bound: with the real port where 0 was asked for. */
  address(): string;
  /** For connections that come from now on. */
  setSettings(settings: SocketListenerSettings): void;
  stopAccepting(): Promise<void>;
}

const BACKLOG = 4_096;
const REPORT_EVERY_MS = 1_000;
/** RFC 9113 section 3.4. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Rejects with an error whose message says what to do. */
export async function openListener(settings: SocketListenerSettings, deps: ListenerDeps): Promise<Listener> {
  const acceptor = new Acceptor(settings, deps);
  const server = net.createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, socket =>
    acceptor.accept(socket),
  );
  await bind(server, settings, deps.env);
  server.on('error', error =>
    deps.emit({ kind: 'warning', message: `listener ${settings.name}: ${error.message}` }),
  );
  return {
    address: () => boundAddress(server, settings.address),
    setSettings: next => acceptor.setSettings(next),
    stopAccepting: () => stop(server),
  };
}

class Acceptor {
  readonly #deps: ListenerDeps;
  readonly #refused = new Map<RefusalCause, number>();
  #settings: SocketListenerSettings;
  #tls: tls.Server | null;
  #reporting = false;

  constructor(settings: SocketListenerSettings, deps: ListenerDeps) {
    this.#deps = deps;
    this.#settings = settings;
    this.#tls = settings.tls === null ? null : this.#createTls(settings, settings.tls);
  }

  setSettings(settings: SocketListenerSettings): void {
    this.#settings = settings;
    this.#tls = settings.tls === null ? null : this.#createTls(settings, settings.tls);
  }

  accept(socket: Socket): void {
    // From birth to death somebody listens: an error without a listener would end the process.
    socket.on('error', ignore);
    const { clock, connections, plainAddress, clientKey } = this.#deps;
    const ip = plainAddress(socket.remoteAddress ?? 'unix');
    const { name, connectionsMax, connectionsPerIpMax } = this.#settings;
    const connection = connections.admit(socket, name, ip, clientKey(ip), {
      processMax: this.#deps.processConnectionsMax(),
      listenerMax: connectionsMax,
      perIpMax: socket.remoteAddress === undefined ? null : connectionsPerIpMax,
    });
    if (typeof connection === 'string') {
      socket.resetAndDestroy();
      this.#report(connection);
    } else if (this.#tls !== null) this.#startTls(this.#tls, socket, connection);
    else if (this.#settings.h2c)
      peekProtocol(socket, this.#settings.headMs, clock, protocol =>
        this.#deps.onConnection(socket, connection, protocol),
      );
    else this.#deps.onConnection(socket, connection, 'http1');
  }

  #createTls(settings: SocketListenerSettings, material: ServerTlsSettings): tls.Server {
    const server = tls.createServer({
      ...serverTlsOptions(material),
      ALPNProtocols: settings.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout: settings.headMs,
      allowHalfOpen: true,
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy()); // scanners and broken clients: their loss
    server.on('secureConnection', socket => this.#onSecure(socket));
    return server;
  }

  readonly #handshaking = new Map<string, Connection>();

  #startTls(server: tls.Server, socket: Socket, connection: Connection): void {
    // The secure socket shows the remote end of the plain one: that is how it finds its connection again.
    const key = `${socket.remoteAddress} ${socket.remotePort}`;
    this.#handshaking.set(key, connection);
    socket.once('close', () => this.#handshaking.delete(key));
    server.emit('connection', socket);
  }

  #onSecure(socket: TLSSocket): void {
    socket.on('error', ignore);
    const connection = this.#handshaking.get(`${socket.remoteAddress} ${socket.remotePort}`);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.tlsVersion = socket.getProtocol();
    this.#deps.onConnection(socket, connection, socket.alpnProtocol === 'h2' ? 'http2' : 'http1');
  }

  /** The first refusal is said at once, further ones together after a second: a flood must not become a flood of lines. */
  #report(cause: RefusalCause): void {
    this.#refused.set(cause, (this.#refused.get(cause) ?? 0) + 1);
    if (this.#reporting) return;
    this.#reporting = true;
    this.#say();
    this.#deps.clock.setTimer(
      () => {
        this.#reporting = false;
        this.#say();
      },
      REPORT_EVERY_MS,
      undefined,
    );
  }

  #say(): void {
    for (const [cause, count] of this.#refused)
      this.#deps.emit({ kind: 'connections_refused', listener: this.#settings.name, cause, count });
    this.#refused.clear();
  }
}

/** HTTP/2 begins with a preface that no HTTP/1 request can begin with; the bytes are put back. */
function peekProtocol(
  socket: Socket,
  limitMs: number,
  clock: Clock,
  callback: (protocol: 'http1' | 'http2') => void,
): void {
  let head = Buffer.alloc(0);
  const timer = clock.setTimer(() => socket.destroy(), limitMs, undefined);
  const decide = (protocol: 'http1' | 'http2'): void => {
    clock.cancelTimer(timer);
    socket.off('data', onData);
    socket.off('close', onClose);
    socket.pause();
    socket.unshift(head);
    callback(protocol);
    // Node's HTTP/1.1 server takes what is buffered when the socket flows; its HTTP/2 session reads it by itself.
    if (protocol === 'http1') socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const length = Math.min(head.length, HTTP2_PREFACE.length);
    if (!head.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) decide('http1');
    else if (length === HTTP2_PREFACE.length) decide('http2');
  };
  const onClose = (): void => clock.cancelTimer(timer);
  socket.on('data', onData);
  socket.on('close', onClose);
}

// ---- binding

async function bind(
  server: net.Server,
  settings: SocketListenerSettings,
  env: ListenerDeps['env'],
): Promise<void> {
  try {
    await listen(server, settings, env);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE' && settings.address.kind === 'unix' && (await isStale(settings.address.path))) {
      unlinkSync(settings.address.path); // left behind by a process that is no more
      await listen(server, settings, env);
      return;
    }
    throw new Error(
      `listener ${settings.name}: cannot listen on ${formatAddress(settings.address)}: ${bindAdvice(code, error)}`,
      { cause: error },
    );
  }
}

function listen(
  server: net.Server,
  { address }: SocketListenerSettings,
  env: ListenerDeps['env'],
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const onListening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (address.kind === 'tcp')
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, onListening);
    else if (address.kind === 'unix') server.listen({ path: address.path, backlog: BACKLOG }, onListening);
    else {
      const fd = inheritedDescriptor(address.name, env, process.pid);
      if (typeof fd === 'string') reject(new Error(fd));
      else server.listen({ fd }, onListening);
    }
  });
}

function bindAdvice(code: unknown, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process uses it (see: ss -ltnp); stop that process or choose another address';
    case 'EACCES':
      return 'not permitted; ports below 1024 need CAP_NET_BIND_SERVICE or socket activation';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function isStale(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
}

function boundAddress(server: net.Server, asked: Address): string {
  const bound = server.address() as AddressInfo | string | null;
  if (bound === null || typeof bound === 'string') return formatAddress(asked);
  return formatAddress({ kind: 'tcp', host: bound.address, port: bound.port });
}

/** Connections that are open stay open; `close` would wait for them. */
function stop(server: net.Server): Promise<void> {
  return new Promise(resolve => {
    if (!server.listening) return resolve();
    server.close();
    setImmediate(resolve);
  });
}

function ignore(): void {}
