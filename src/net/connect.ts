/**
 * Opens one connection to a backend: name lookup, TCP or Unix socket, TLS, within one limit. Everything that can go wrong
 * becomes a `Failure` that says which step failed.
 *
 * The next connection of the same `ConnectTarget` object resumes its TLS session, which saves the backend a signature and
 * us a verification. Use one target for all connections that may share a session, and no longer than that.
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
  /** Protocols offered by ALPN, most preferred first. */
  readonly protocols: readonly ('http/1.1' | 'h2')[];
  readonly connectTimeoutMs: number;
}

type ConnectCallback = (failure: Failure | null, socket: Socket | null) => void;

/** RFC 8305 section 5: when an address has not answered for this long, the next one is tried. */
const NEXT_ADDRESS_MS = 250;
/** TCP keep-alive: detects a backend that vanished silently although nothing is being sent. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** The newest session of each target, only from connections whose certificate was verified. */
const sessions = new WeakMap<ConnectTarget, Buffer>();

/** Calls back once. The returned function gives up; the callback is then not called. */
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
      sessions.delete(target); // the session may be the reason for the failure
      socket.destroy();
      callback(failure, null);
    }
  };
  const socket = open(target, () => finish(null));
  backendSockets.add(socket);
  const timeout: Failure = { kind: 'connect_timeout', afterMs: target.connectTimeoutMs };
  const timer = clock.setTimer(finish, target.connectTimeoutMs, timeout);
  // The socket needs an error listener all its life: an error without a listener would end the process.
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

/** Fails like the system would, but before the last descriptors are used up, which the admin API needs. */
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

/** TLS 1.3 tickets come after the handshake, one by one (RFC 8446 section 4.6.1); in older versions they are part of it. */
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
    // An IP address cannot be used for SNI (RFC 6066 section 3). It is verified all the same.
    servername: net.isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(serverName, certificate),
    rejectUnauthorized: settings.verify,
    ALPNProtocols: [...target.protocols],
    ...(session === undefined ? {} : { session }),
  };
}

/** Node's codes for a certificate that it does not accept (`verifyError` of OpenSSL, RFC 6125 for names). */
const CERTIFICATE_CODE =
  /^(?:ERR_TLS_CERT_ALTNAME|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERROR_IN_CERT|CRL_|INVALID_|HOSTNAME_|PATH_LENGTH_)/;
/** This machine has no descriptors, ports, buffers or memory left, or its firewall forbids the connection. */
const LOCAL_CODES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
]);
/** Codes of getaddrinfo when there is no address. */
const DNS_CODE = /^(?:ENOTFOUND|ENODATA|ESERVFAIL|ETIMEOUT|EAI_\w+)$/;

/** `elapsedMs`: how long it took to fail. */
function connectFailure(error: Error & { code?: unknown }, secure: boolean, elapsedMs: number): Failure {
  const code = typeof error.code === 'string' ? error.code : 'UNKNOWN';
  if (DNS_CODE.test(code))
    return { kind: 'dns_failed', code, name: 'hostname' in error ? String(error.hostname) : 'the name' };
  if (code === 'ETIMEDOUT') return { kind: 'connect_timeout', afterMs: Math.round(elapsedMs) };
  // This machine is short of something, or forbids the connection: the backend is not involved.
  if (LOCAL_CODES.has(code)) return { kind: 'local_exhausted', code };
  if (secure && CERTIFICATE_CODE.test(code)) return { kind: 'tls_failed', part: 'certificate', code };
  if (secure && (/^ERR_(?:SSL|TLS|OSSL)/.test(code) || code === 'EPROTO' || code === 'ECONNRESET'))
    return { kind: 'tls_failed', part: 'protocol', code };
  return { kind: 'connect_refused', code };
}
