/**
 * One place where clients connect: bind, accept within limits, TLS, and which protocol the client speaks. What
 * comes out is a socket on which HTTP begins.
 *
 *   accept ──> counted? ──> TLS? ──ALPN──> http1 | http2
 *                 │           └─ none ──h2c allowed?──> first bytes decide
 *                 └─ over a limit: reset at once, counted, said once a second
 *
 * Nothing here can make it stop accepting. When the process is out of descriptors, libuv accepts and closes what
 * waits, so that the backlog does not turn in circles, and tells Node only if even that fails.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import net, { type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../resilience/clock.ts';
import { errorCode } from '../resilience/error_code.ts';
import { bind, boundAddress } from './bind.ts';
import type { Connection, ConnectionTable, RefusalCause } from './connection.ts';
import type { Address } from './endpoint.ts';
import { detectProtocol, detectTls } from './listen/protocol_detection.ts';
import { ThrottledLog } from './listen/throttled_log.ts';
import { type ServerTlsSettings, serverTlsOptions } from './tls.ts';
import { PLAIN_HTTP_ANSWER, type TlsRefusal, tlsRefusalOf } from './tls_refusal.ts';

/** What `net` needs to open one listener. Null is `off`: no limit. */
export interface SocketListenerSettings {
  readonly name: string;
  readonly address: Address;
  readonly tls: ServerTlsSettings | null;
  /** Offer `h2` by ALPN where there is TLS. */
  readonly http2: boolean;
  /** Accept HTTP/2 by prior knowledge on a connection without TLS (RFC 9113 section 3.3). */
  readonly h2c: boolean;
  /** Another process may listen on the same port (SO_REUSEPORT, socket(7)); new connections then go to either. */
  readonly reusePort: boolean;
  readonly connectionsMax: number | null;
  readonly connectionsPerIpMax: number | null;
  /** A TLS handshake, and the first bytes of HTTP, must be there in this time. */
  readonly headMs: number;
}

interface ListenerDeps {
  readonly clock: Clock;
  readonly connections: ConnectionTable;
  readonly processConnectionsMax: () => number;
  /** How a remote address is shown, and what counts as one client (`security/client_address`). */
  readonly plainAddress: (ip: string) => string;
  readonly clientKey: (ip: string) => string;
  /** A load balancer in front holds the connections of all clients: it is not counted as one of them. */
  readonly isTrustedProxy: (ip: string) => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onConnection: (socket: Socket, connection: Connection, protocol: 'http1' | 'http2') => void;
  /** At most once a second for each cause; `count` is how many since the last time. */
  readonly onRefused: (cause: RefusalCause, count: number) => void;
  /** A TLS handshake has failed; `code` is the alert, or what OpenSSL says. As above. */
  readonly onTlsRefused: (cause: TlsRefusal, code: string, count: number) => void;
  readonly warn: (message: string) => void;
}

export interface Listener {
  /** The address that the listener is bound to, with the real port if 0 was requested. */
  address(): string;
  /** Changes the settings for connections accepted from now on. */
  setSettings(settings: SocketListenerSettings): void;
  /** Connections that are open stay open. */
  stopAccepting(): Promise<void>;
}

/** For a client that is told something and then shall close its side. */
const LINGER_MS = 2_000;
/** Stands for the address of a client on a Unix socket, which has none. */
const UNIX_PEER = 'unix';

/** Rejects with an error whose message says what to do. */
export async function openListener(settings: SocketListenerSettings, deps: ListenerDeps): Promise<Listener> {
  const { name } = settings;
  const acceptor = new Acceptor(settings, deps);
  const server = net.createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, socket =>
    acceptor.accept(socket),
  );
  try {
    await bind(server, settings.address, deps.env, settings.reusePort);
  } catch (error) {
    throw new Error(`listener ${name}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const problems = new ThrottledLog<string>(deps.clock, (message, count) =>
    deps.warn(`listener ${name}: ${message}${count > 1 ? ` (${count} times)` : ''}`),
  );
  server.on('error', error => problems.add(error.message)); // of one `accept`; the server goes on
  return {
    address: () => boundAddress(server, settings.address),
    setSettings: next => acceptor.setSettings(next),
    stopAccepting: () => stop(server, acceptor),
  };
}

/** Rounds of the event loop without a new connection, after which the backlog is empty. */
const QUIET_TURNS = 2;
/** New clients may come for ever. */
const STOP_TURNS_MAX = 500;

class Acceptor {
  readonly #deps: ListenerDeps;
  readonly #refused: ThrottledLog<RefusalCause>;
  /** Handshakes that failed, by their code. */
  readonly #unsecured: ThrottledLog<string>;
  /** Connections accepted since the listener was opened. */
  accepted = 0;
  /** Whose handshake it is that ends: what a `tls.Server` hands over does not tell which socket it was given. */
  readonly #handshake = new AsyncLocalStorage<Connection>();
  #settings: SocketListenerSettings;
  #tls: tls.Server | null;

  constructor(settings: SocketListenerSettings, deps: ListenerDeps) {
    this.#deps = deps;
    this.#settings = settings;
    this.#tls = this.#createTls(settings);
    this.#refused = new ThrottledLog(deps.clock, (cause, count) => deps.onRefused(cause, count));
    this.#unsecured = new ThrottledLog(deps.clock, (code, count) =>
      deps.onTlsRefused(tlsRefusalOf(code), code, count),
    );
  }

  setSettings(next: SocketListenerSettings): void {
    const before = this.#settings;
    this.#settings = next;
    // A server that stays keeps the keys of its session tickets: a reload must not make all clients shake hands anew.
    if (wayOfTls(next) !== wayOfTls(before) || !isDeepStrictEqual(next.tls, before.tls))
      this.#tls = this.#createTls(next);
  }

  accept(socket: Socket): void {
    this.accepted++;
    // From birth to death somebody listens: an error without a listener would end the process.
    socket.on('error', ignore);
    const { clock, onConnection } = this.#deps;
    const { remoteAddress } = socket;
    if (remoteAddress === undefined && isTcp(socket)) {
      socket.destroy(); // has left already; without an address it would pass for a peer on a Unix socket
      return;
    }
    const connection = this.#admit(socket, remoteAddress);
    if (typeof connection === 'string') {
      if (isTcp(socket)) socket.resetAndDestroy();
      else socket.destroy();
      this.#refused.add(connection);
    } else if (this.#tls !== null) {
      const server = this.#tls;
      detectTls(
        socket,
        this.#settings.headMs,
        clock,
        isTls => {
          if (isTls) this.#handshake.run(connection, () => server.emit('connection', socket));
          else this.#refusePlainHttp(socket);
        },
        () => this.#unsecured.add('ERR_TLS_HANDSHAKE_TIMEOUT'),
      );
    } else if (this.#settings.h2c)
      detectProtocol(socket, this.#settings.headMs, clock, protocol =>
        onConnection(socket, connection, protocol),
      );
    else onConnection(socket, connection, 'http1');
  }

  #admit(socket: Socket, remoteAddress: string | undefined): Connection | RefusalCause {
    const { connections, plainAddress, clientKey, isTrustedProxy, processConnectionsMax } = this.#deps;
    const { name, connectionsMax, connectionsPerIpMax } = this.#settings;
    const ip = remoteAddress === undefined ? UNIX_PEER : plainAddress(remoteAddress);
    return connections.admit(socket, name, ip, clientKey(ip), {
      processMax: processConnectionsMax(),
      listenerMax: connectionsMax,
      perIpMax: remoteAddress === undefined || isTrustedProxy(ip) ? null : connectionsPerIpMax,
    });
  }

  #createTls(settings: SocketListenerSettings): tls.Server | null {
    if (settings.tls === null) return null;
    const server = tls.createServer({
      ...serverTlsOptions(settings.tls),
      ALPNProtocols: settings.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout: settings.headMs,
    });
    server.on('tlsClientError', (error, socket) => {
      this.#unsecured.add(errorCode(error));
      socket.destroy();
    });
    server.on('secureConnection', socket => this.#onSecure(socket));
    return server;
  }

  /** Somebody typed http:// for https://: a reset would tell them nothing. */
  #refusePlainHttp(socket: Socket): void {
    this.#unsecured.add('HTTP_REQUEST');
    socket.end(PLAIN_HTTP_ANSWER);
    socket.resume();
    const timer = this.#deps.clock.setTimer(destroySocket, LINGER_MS, socket);
    socket.once('close', () => this.#deps.clock.cancelTimer(timer));
  }

  #onSecure(socket: TLSSocket): void {
    socket.on('error', ignore);
    const connection = this.#handshake.getStore();
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.tlsVersion = socket.getProtocol();
    this.#deps.onConnection(socket, connection, socket.alpnProtocol === 'h2' ? 'http2' : 'http1');
  }
}

/** What a `tls.Server` is made with besides its material. */
function wayOfTls({ http2, headMs }: SocketListenerSettings): string {
  return `${http2} ${headMs}`;
}

/** A socket of a Unix listener has no remote family and no local port either. */
function isTcp(socket: Socket): boolean {
  return socket.localAddress !== undefined;
}

/**
 * Closing resets the connections that the kernel has already made for us: first those are taken. `close` itself would
 * wait for the connections that are open.
 */
async function stop(server: net.Server, acceptor: Acceptor): Promise<void> {
  let quiet = 0;
  for (let turns = 0; server.listening && quiet < QUIET_TURNS && turns < STOP_TURNS_MAX; turns++) {
    const before = acceptor.accepted;
    await turn();
    quiet = acceptor.accepted === before ? quiet + 1 : 0;
  }
  if (server.listening) server.close();
  await turn();
}

/** One round of the event loop, in which everything that waits is accepted. */
function turn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve));
}

function destroySocket(socket: Socket): void {
  socket.destroy();
}

function ignore(): void {}
