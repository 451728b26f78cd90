/**
 * TLS on the connections that one listener has accepted: handshakes are limited in number and time, each failed one is
 * counted with its reason, and the result is a socket on which HTTP begins.
 *
 *   first bytes ──TLS?──> handshakes below the limit? ──> certificate by SNI ──> client's certificate ──ALPN──> http1 | http2
 *          └─ plain HTTP: 400, says to use https://
 *
 * New settings get a new `tls.Server`; handshakes that have begun finish on the old one, and the ticket keys stay.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../resilience/clock.ts';
import { errorCode } from '../../resilience/error_code.ts';
import type { CertificateNames } from '../certificate_names.ts';
import { describeClientCertificate } from '../client_certificate.ts';
import type { Connection, TlsFacts } from '../connection.ts';
import type { ServerTlsSettings } from '../tls.ts';
import { PLAIN_HTTP_RESPONSE, type TlsRefusal, tlsRefusalOf } from '../tls_refusal.ts';
import { type HelloName, serverNameIn } from './client_hello.ts';
import { detectTls } from './protocol_detection.ts';
import { ServerContexts } from './server_contexts.ts';
import { ThrottledLog } from './throttled_log.ts';
import { TicketKeys } from './ticket_keys.ts';

export interface TlsServerSettings {
  readonly tls: ServerTlsSettings;
  /** Offers `h2` by ALPN. */
  readonly http2: boolean;
  /** Time limit for the first bytes, and for the handshake. */
  readonly headMs: number;
  /** Handshakes at the same time; null: no limit. */
  readonly handshakesMax: number | null;
}

interface TlsServerDeps {
  readonly clock: Clock;
  readonly onSecure: (socket: TLSSocket, connection: Connection, protocol: 'http1' | 'http2') => void;
  /** Too many handshakes: the connection is reset. */
  readonly onTooMany: (socket: Socket) => void;
  /** Called at most once a second per code; `count` is the number since the last call. */
  readonly onRefused: (cause: TlsRefusal, code: string, count: number) => void;
}

interface Handshake {
  readonly connection: Connection;
  readonly contexts: ServerContexts;
  readonly hello: HelloName;
  isOver: boolean;
}

const NOT_NEEDED: HelloName = { kind: 'none' };
/** Covers no host. */
const NO_NAMES: CertificateNames = { dns: [], addresses: [] };
/** How long a client that was sent a refusal may take to close its side. */
const LINGER_MS = 2_000;

export class TlsServer {
  readonly #deps: TlsServerDeps;
  readonly #refused: ThrottledLog<string>;
  readonly #keys: TicketKeys;
  /** The handshake of each connection, because `tls.Server` does not report the socket that it was given. */
  readonly #handshake = new AsyncLocalStorage<Handshake>();
  #handshakes = 0;
  #settings: TlsServerSettings;
  #contexts: ServerContexts;
  #server: tls.Server;

  constructor(settings: TlsServerSettings, deps: TlsServerDeps) {
    this.#deps = deps;
    this.#settings = settings;
    this.#keys = new TicketKeys(deps.clock);
    this.#refused = new ThrottledLog(deps.clock, (code, count) =>
      deps.onRefused(tlsRefusalOf(code), code, count),
    );
    this.#contexts = this.#createContexts();
    this.#server = this.#createServer();
  }

  setSettings(next: TlsServerSettings): void {
    const before = this.#settings;
    this.#settings = next;
    const isSame = isDeepStrictEqual(next.tls, before.tls) && isDeepStrictEqual(wayOf(next), wayOf(before));
    if (!isSame) this.#renew();
  }

  accept(socket: Socket, connection: Connection): void {
    detectTls(
      socket,
      this.#settings.headMs,
      this.#deps.clock,
      (isTls, first) => {
        if (isTls) this.#shakeHands(socket, connection, first);
        else this.#refusePlainHttp(socket);
      },
      () => this.#refused.add('ERR_TLS_HANDSHAKE_TIMEOUT'),
    );
  }

  /** Handshakes are counted from here, not from `accept`: a client that sends nothing costs nothing and must not lock others out. */
  #shakeHands(socket: Socket, connection: Connection, first: Buffer): void {
    const { handshakesMax, tls: settings } = this.#settings;
    if (handshakesMax !== null && this.#handshakes >= handshakesMax) {
      this.#deps.onTooMany(socket);
      return;
    }
    if (this.#keys.isDue(settings.sessionTickets)) this.#renew();
    const hello = settings.rejectMisdirected ? serverNameIn(first) : NOT_NEEDED;
    const handshake: Handshake = { connection, contexts: this.#contexts, hello, isOver: false };
    this.#handshakes++;
    socket.once('close', () => this.#end(handshake));
    socket.allowHalfOpen = false; // a client that closes its side in the middle of a handshake has left
    this.#handshake.run(handshake, () => this.#server.emit('connection', socket));
  }

  #end(handshake: Handshake): void {
    if (!handshake.isOver) this.#handshakes--;
    handshake.isOver = true;
  }

  #renew(): void {
    this.#contexts = this.#createContexts();
    this.#server = this.#createServer();
  }

  #createContexts(): ServerContexts {
    const { tls: settings } = this.#settings;
    return new ServerContexts(settings, this.#keys.current(settings.sessionTickets));
  }

  #createServer(): tls.Server {
    const server = tls.createServer({
      ...this.#contexts.serverOptions,
      ALPNProtocols: this.#settings.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout: this.#settings.headMs,
    });
    server.on('tlsClientError', (error, socket) => {
      // If Node rejects the certificate of a client, the error does not contain the reason.
      this.#refused.add(rejectionOf(socket) ?? errorCode(error));
      socket.destroy();
    });
    server.on('secureConnection', socket => this.#onSecure(socket));
    return server;
  }

  /** The client speaks HTTP on a TLS port: a reset would not tell its user why. */
  #refusePlainHttp(socket: Socket): void {
    this.#refused.add('HTTP_REQUEST');
    socket.end(PLAIN_HTTP_RESPONSE);
    socket.resume();
    const timer = this.#deps.clock.setTimer(destroySocket, LINGER_MS, socket);
    socket.once('close', () => this.#deps.clock.cancelTimer(timer));
  }

  #onSecure(socket: TLSSocket): void {
    socket.on('error', ignore);
    const handshake = this.#handshake.getStore();
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    this.#end(handshake);
    socket.allowHalfOpen = true;
    const { connection } = handshake;
    connection.tls = factsOf(socket, handshake);
    if (connection.tls.clientProblem !== null) this.#refused.add(connection.tls.clientProblem);
    this.#deps.onSecure(socket, connection, socket.alpnProtocol === 'h2' ? 'http2' : 'http1');
  }
}

/** Options of the `tls.Server` other than its TLS settings. */
function wayOf({ http2, headMs }: TlsServerSettings): object {
  return { http2, headMs };
}

function factsOf(socket: TLSSocket, handshake: Handshake): TlsFacts {
  const certificate = socket.getPeerX509Certificate();
  const isValid = certificate !== undefined && socket.authorized;
  return {
    version: socket.getProtocol() ?? '',
    presented: presentedNames(socket, handshake),
    client: isValid ? describeClientCertificate(certificate) : null,
    clientProblem: certificate === undefined || isValid ? null : (rejectionOf(socket) ?? 'UNSPECIFIED'),
  };
}

/** OpenSSL reports no server name for a resumed TLS 1.2 session, so the name in the ClientHello counts. */
function presentedNames(socket: TLSSocket, { contexts, hello }: Handshake): CertificateNames | null {
  const { servername } = socket; // false where there is none
  if (typeof servername === 'string') return contexts.siteOf(servername)?.names ?? null;
  if (socket.isSessionReused() && hello.kind === 'incomplete') return NO_NAMES;
  return contexts.siteOf(hello.kind === 'name' ? hello.name : null)?.names ?? null;
}

/** Why the certificate of the client was rejected, as OpenSSL's code. */
function rejectionOf(socket: TLSSocket): string | null {
  const { authorizationError } = socket as { readonly authorizationError?: unknown };
  if (authorizationError instanceof Error) return errorCode(authorizationError);
  return typeof authorizationError === 'string' ? authorizationError : null;
}

function destroySocket(socket: Socket): void {
  socket.destroy();
}

function ignore(): void {}
