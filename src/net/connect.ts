/**
 * Opens one connection to a backend: name lookup, TCP or Unix socket, TLS, within one limit. Every way in which
 * that can go wrong becomes a `Failure` that says which step it was.
 *
 * A TLS session is taken up again by the next connection of the same `ConnectTarget` object: it saves the backend
 * a signature and us a verification. So keep one target for all connections that may share it, and no longer.
 */
import net, { type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Address } from './address.ts';
import { backendSockets } from './descriptors.ts';
import { type ClientTlsSettings, clientSecureContext } from './tls.ts';

export interface ConnectTarget {
  readonly address: Address;
  readonly tls: ClientTlsSettings | null;
  /** Protocols offered by ALPN, preferred first. */
  readonly protocols: readonly ('http/1.1' | 'h2')[];
  readonly connectTimeoutMs: number;
}

type ConnectCallback = (failure: Failure | null, socket: Socket | null) => void;

/** RFC 8305 section 5: the next address is tried when this one has not answered for so long. */
const NEXT_ADDRESS_MS = 250;
/** A backend that vanished without a word is noticed, although nothing is being sent. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** The newest session of each target; only of connections whose certificate was verified. */
const sessions = new WeakMap<ConnectTarget, Buffer>();

/** Calls back once. The function it returns gives up; the callback is not called then. */
export function connect(target: ConnectTarget, clock: Clock, callback: ConnectCallback): () => void {
  if (backendSockets.isFull) return refuse(callback);
  const startedAtMs = clock.nowMs();
  let done = false;
  const finish = (failure: Failure | null): void => {
    if (done) return;
    done = true;
    clock.cancelTimer(timer);
    if (failure === null) callback(null, socket);
    else {
      sessions.delete(target); // it may be what the backend stumbled over
      socket.destroy();
      callback(failure, null);
    }
  };
  const socket = open(target, () => finish(null));
  backendSockets.add(socket);
  const timeout: Failure = { kind: 'connect_timeout', afterMs: target.connectTimeoutMs };
  const timer = clock.setTimer(finish, target.connectTimeoutMs, timeout);
  // From birth to death somebody listens: an error without a listener would end the process.
  socket.on('error', error =>
    finish(connectFailure(error, target.tls !== null, clock.nowMs() - startedAtMs)),
  );
  socket.once('close', () => finish({ kind: 'connect_refused', code: 'CLOSED' }));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return () => {
    done = true;
    clock.cancelTimer(timer);
    socket.destroy();
  };
}

/** As the system would refuse it, but before the last descriptors are gone, which the admin API needs. */
function refuse(callback: ConnectCallback): () => void {
  let isWanted = true;
  process.nextTick(() => {
    if (isWanted) callback({ kind: 'local_exhausted', code: 'EMFILE' }, null);
  });
  return () => {
    isWanted = false;
  };
}

function open(target: ConnectTarget, onReady: () => void): Socket {
  if (target.tls === null) return net.connect(tcpOptions(target), onReady);
  const socket = tls.connect(tlsOptions(target, target.tls), () => {
    rememberSession(socket, target);
    onReady();
  });
  return socket;
}

/** With TLS 1.3 tickets come after the handshake, one by one (RFC 8446 section 4.6.1); before that they are part of it. */
function rememberSession(socket: TLSSocket, target: ConnectTarget): void {
  if (socket.getProtocol() === 'TLSv1.3') socket.on('session', session => sessions.set(target, session));
  else {
    const session = socket.getSession();
    if (session !== undefined) sessions.set(target, session);
  }
}

function tcpOptions({ address }: ConnectTarget): net.NetConnectOpts {
  switch (address.kind) {
    case 'tcp':
      return { host: address.host, port: address.port, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS };
    case 'unix':
      return { path: address.path };
    case 'fd':
      throw new Error('an inherited descriptor is a place to listen, not to connect to');
  }
}

function tlsOptions(target: ConnectTarget, settings: ClientTlsSettings): tls.ConnectionOptions {
  const host = target.address.kind === 'tcp' ? target.address.host : 'localhost';
  const session = sessions.get(target);
  const serverName = settings.serverName ?? host;
  return {
    ...tcpOptions(target),
    secureContext: clientSecureContext(settings),
    // An address is no name for SNI (RFC 6066 section 3); it is verified all the same.
    servername: net.isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(serverName, certificate),
    rejectUnauthorized: settings.verify,
    ALPNProtocols: [...target.protocols],
    ...(session === undefined ? {} : { session }),
  };
}

/** What Node reports of a certificate that it does not accept (`verifyError` of OpenSSL, RFC 6125 for names). */
const CERTIFICATE_CODE =
  /^(?:ERR_TLS_CERT_ALTNAME|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERROR_IN_CERT|CRL_|INVALID_|HOSTNAME_|PATH_LENGTH_)/;
/** Descriptors, ports, buffers, memory; or a rule of the local firewall. */
const LOCAL_CODES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
]);
/** What getaddrinfo says when there is no address. */
const DNS_CODE = /^(?:ENOTFOUND|ENODATA|ESERVFAIL|ETIMEOUT|EAI_\w+)$/;

/** `elapsedMs`: how long it took to fail. */
function connectFailure(error: Error & { code?: unknown }, secure: boolean, elapsedMs: number): Failure {
  const code = typeof error.code === 'string' ? error.code : 'UNKNOWN';
  if (DNS_CODE.test(code))
    return { kind: 'dns_failed', code, name: 'hostname' in error ? String(error.hostname) : 'the name' };
  if (code === 'ETIMEDOUT') return { kind: 'connect_timeout', afterMs: Math.round(elapsedMs) };
  // This machine is out of something, or forbids it: the backend has no part in that.
  if (LOCAL_CODES.has(code)) return { kind: 'local_exhausted', code };
  if (secure && CERTIFICATE_CODE.test(code)) return { kind: 'tls_failed', part: 'certificate', code };
  if (secure && (/^ERR_(?:SSL|TLS|OSSL)/.test(code) || code === 'EPROTO' || code === 'ECONNRESET'))
    return { kind: 'tls_failed', part: 'protocol', code };
  return { kind: 'connect_refused', code };
}
