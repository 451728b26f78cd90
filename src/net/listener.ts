/**
 * One listener: bind, accept within limits, TLS, and protocol detection. The result is a socket on which HTTP begins.
 *
 *   accept ──> counted? ──> PROXY header? ──> TLS? ──ALPN──> http1 | http2
 *                 │              │             └─ none ──h2c allowed?──> first bytes decide
 *                 │              └─ none, or from a wrong network: reset, counted, logged once a second
 *                 └─ over a limit: reset at once, counted, logged once a second
 *
 * Nothing makes it stop accepting. When the process is out of descriptors, libuv accepts and closes waiting connections, so
 * that the event loop does not spin on the backlog, and reports an error to Node only if even that fails.
 */
import net, { type Socket } from 'node:net';
import type { Clock } from '../resilience/clock.ts';
import { nextTurn } from '../resilience/time_slices.ts';
import type { Address } from './address.ts';
import { bind, boundAddress } from './bind.ts';
import type { Connection, ConnectionTable, ProxyProtocolRefusal, RefusalCause } from './connection.ts';
import { detectProtocol } from './listen/protocol_detection.ts';
import {
  type PeerNetworks,
  ProxiedPeers,
  type ProxyProtocolSettings,
  reset,
} from './listen/proxied_peers.ts';
import type { ProxiedConnection } from './listen/proxy_protocol.ts';
import { ThrottledLog } from './listen/throttled_log.ts';
import { TlsServer, type TlsServerSettings } from './listen/tls_server.ts';
import type { ServerTlsSettings } from './tls.ts';
import type { TlsRefusal } from './tls_refusal.ts';

/** Settings of one listener. Null means `off`: no limit. */
export interface SocketListenerSettings {
  readonly name: string;
  readonly address: Address;
  readonly tls: ServerTlsSettings | null;
  /** Offers `h2` by ALPN on a listener with TLS. */
  readonly http2: boolean;
  /** Accepts HTTP/2 with prior knowledge on a connection without TLS (RFC 9113 section 3.3). */
  readonly h2c: boolean;
  /** Another process may listen on the same port (SO_REUSEPORT, socket(7)); a new connection then goes to either. */
  readonly reusePort: boolean;
  readonly connectionsMax: number | null;
  readonly connectionsPerIpMax: number | null;
  /** How long a client whose connections are cut as floods gets no new ones. */
  readonly floodPenaltyMs: number | null;
  /** TLS handshakes at the same time. */
  readonly handshakesMax: number | null;
  /** Time limit for the TLS handshake and the first bytes of HTTP. */
  readonly headMs: number;
  /** Every connection begins with a PROXY protocol header; null: none does. */
  readonly proxyProtocol: ProxyProtocolSettings | null;
}

interface ListenerDeps {
  readonly clock: Clock;
  readonly connections: ConnectionTable;
  readonly processConnectionsMax: () => number;
  /** The displayed form of a remote address, and what counts as one client (`security/client_address`). */
  readonly plainAddress: (ip: string) => string;
  readonly clientKey: (ip: string) => string;
  /** A trusted load balancer holds the connections of all clients, so it does not count as one of them. */
  readonly isTrustedProxy: (ip: string) => boolean;
  readonly buildNetworkSet: (cidrs: readonly string[]) => PeerNetworks;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onConnection: (socket: Socket, connection: Connection, protocol: 'http1' | 'http2') => void;
  /** Called at most once a second per cause; `count` is the number since the last call. */
  readonly onRefused: (cause: RefusalCause, count: number) => void;
  /** A TLS handshake has failed; `code` is the alert, or OpenSSL's code. Called like the one above. */
  readonly onTlsRefused: (cause: TlsRefusal, code: string, count: number) => void;
  /** A PROXY protocol header was missing or wrong; `peerIp` is whose, of the last one. As above. */
  readonly onProxyRefused: (cause: ProxyProtocolRefusal, peerIp: string, count: number) => void;
  readonly warn: (message: string) => void;
}

export interface Listener {
  /** The address that the listener is bound to, with the real port if 0 was requested. */
  address(): string;
  /** Changes the settings for connections accepted from now on. */
  setSettings(settings: SocketListenerSettings): void;
  /** Stops accepting; open connections stay open. */
  stopAccepting(): Promise<void>;
}

/** Address of clients on a Unix socket, which have none. */
const UNIX_PEER = 'unix';

/** Opens the listener. Rejects with an error whose message says what to do. */
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
  server.on('error', error => problems.add(error.message)); // an error of one `accept`; the server continues
  return {
    address: () => boundAddress(server, settings.address),
    setSettings: next => acceptor.setSettings(next),
    stopAccepting: () => stop(server, acceptor),
  };
}

/** Turns of the event loop without a new connection, after which the backlog counts as empty. */
const QUIET_TURNS = 2;
/** Upper bound for these turns, because new clients may come for ever. */
const STOP_TURNS_MAX = 500;

class Acceptor {
  readonly #deps: ListenerDeps;
  readonly #refused: ThrottledLog<RefusalCause>;
  /** Connections accepted since the listener was opened. */
  accepted = 0;
  readonly #proxied: ProxiedPeers;
  #settings: SocketListenerSettings;
  readonly #tls: TlsServer | null;

  constructor(settings: SocketListenerSettings, deps: ListenerDeps) {
    this.#deps = deps;
    this.#settings = settings;
    this.#proxied = new ProxiedPeers(settings.proxyProtocol, {
      ...deps,
      onEachRefused: () => deps.connections.noteRefusal(settings.name, 'proxyProtocol'),
    });
    this.#refused = new ThrottledLog(deps.clock, (cause, count) => deps.onRefused(cause, count));
    this.#tls = isSecure(settings) ? this.#createTls(settings) : null;
  }

  /** A listener whose TLS is switched on or off is a new listener (`lifecycle/listeners.ts`). */
  setSettings(next: SocketListenerSettings): void {
    this.#settings = next;
    this.#proxied.setSettings(next.proxyProtocol);
    if (isSecure(next)) this.#tls?.setSettings(next);
  }

  accept(socket: Socket): void {
    this.accepted++;
    // The socket needs an error listener all its life: an error without a listener would end the process.
    socket.on('error', ignore);
    const { remoteAddress } = socket;
    if (remoteAddress === undefined && isTcp(socket)) {
      socket.destroy(); // has left already; without an address it would count as a peer on a Unix socket
      return;
    }
    const connection = this.#admit(socket, remoteAddress);
    if (typeof connection === 'string') this.#refuse(socket, connection);
    else if (this.#settings.proxyProtocol === null) this.#serve(socket, connection);
    else this.#proxied.read(socket, connection.peerIp, client => this.#identify(socket, connection, client));
  }

  /** By its PROXY protocol header, the connection is one of this client; null: of the load balancer itself. */
  #identify(socket: Socket, connection: Connection, client: ProxiedConnection | null): void {
    const { connections, plainAddress, clientKey } = this.#deps;
    if (client !== null) {
      const ip = plainAddress(client.sourceIp);
      const known = { ip, ipKey: clientKey(ip), port: client.destinationPort };
      const cause = connections.identify(connection, known, this.#perIpLimits(ip));
      if (cause !== null) {
        this.#refuse(socket, cause);
        return;
      }
    }
    this.#serve(socket, connection);
  }

  #serve(socket: Socket, connection: Connection): void {
    const { clock, onConnection } = this.#deps;
    if (this.#tls !== null) this.#tls.accept(socket, connection);
    else if (this.#settings.h2c)
      detectProtocol(socket, this.#settings.headMs, clock, protocol =>
        onConnection(socket, connection, protocol),
      );
    else onConnection(socket, connection, 'http1');
  }

  #refuse(socket: Socket, cause: RefusalCause): void {
    reset(socket);
    this.#refused.add(cause);
  }

  #createTls(settings: TlsServerSettings): TlsServer {
    const { clock, connections, onConnection, onTlsRefused } = this.#deps;
    return new TlsServer(settings, {
      clock,
      onSecure: (...secured) => {
        connections.noteHandshake(this.#settings.name);
        onConnection(...secured);
      },
      onTooMany: socket => {
        connections.noteRefusal(this.#settings.name, 'handshakes');
        this.#refuse(socket, 'handshakes');
      },
      onRefused: onTlsRefused,
    });
  }

  #admit(socket: Socket, remoteAddress: string | undefined): Connection | RefusalCause {
    const { connections, plainAddress, clientKey, processConnectionsMax } = this.#deps;
    const { name, connectionsMax, proxyProtocol } = this.#settings;
    const ip = remoteAddress === undefined ? UNIX_PEER : plainAddress(remoteAddress);
    return connections.admit(socket, name, ip, clientKey(ip), {
      processMax: processConnectionsMax(),
      listenerMax: connectionsMax,
      // Behind the PROXY protocol the client is known, and counted, when its header is there.
      ...(proxyProtocol === null ? this.#perIpLimits(ip) : NO_PER_IP_LIMITS),
    });
  }

  #perIpLimits(ip: string): typeof NO_PER_IP_LIMITS {
    if (ip === UNIX_PEER || this.#deps.isTrustedProxy(ip)) return NO_PER_IP_LIMITS;
    const { connectionsPerIpMax: perIpMax, floodPenaltyMs } = this.#settings;
    return { perIpMax, floodPenaltyMs };
  }
}

/** Of a peer that speaks for many clients. */
const NO_PER_IP_LIMITS: { readonly perIpMax: number | null; readonly floodPenaltyMs: number | null } = {
  perIpMax: null,
  floodPenaltyMs: null,
};

function isSecure(settings: SocketListenerSettings): settings is SocketListenerSettings & TlsServerSettings {
  return settings.tls !== null;
}

/** A socket of a Unix listener has no remote family and no local port. */
function isTcp(socket: Socket): boolean {
  return socket.localAddress !== undefined;
}

/**
 * Closing would reset the connections in the kernel's backlog, so they are accepted first. `close` itself would wait
 * for open connections.
 */
async function stop(server: net.Server, acceptor: Acceptor): Promise<void> {
  let quiet = 0;
  for (let turns = 0; server.listening && quiet < QUIET_TURNS && turns < STOP_TURNS_MAX; turns++) {
    const before = acceptor.accepted;
    await nextTurn();
    quiet = acceptor.accepted === before ? quiet + 1 : 0;
  }
  if (server.listening) server.close();
  await nextTurn();
}

function ignore(): void {}
