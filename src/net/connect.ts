/**
 * Opens one connection to a backend: name lookup, TCP or Unix socket, TLS, within one limit. Every way in which
 * that can go wrong becomes a `Failure` that says which step it was.
 */
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Address } from './endpoint.ts';
import { type ClientTlsSettings, clientSecureContext } from './tls.ts';

export interface ConnectTarget {
  readonly address: Address;
  readonly tls: ClientTlsSettings | null;
  /** For ALPN, most wanted first. */
  readonly protocols: readonly ('http/1.1' | 'h2')[];
  readonly connectMs: number;
}

export type ConnectCallback = (failure: Failure | null, socket: Socket | null) => void;

/** RFC 8305 section 5: the next address is tried when this one has not answered for so long. */
const NEXT_ADDRESS_MS = 250;
/** A backend that vanished without a word is noticed, although nothing is being sent. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Calls back once. The function it returns gives up; the callback is not called then. */
export function connect(target: ConnectTarget, clock: Clock, callback: ConnectCallback): () => void {
  const socket =
    target.tls === null ? net.connect(tcpOptions(target)) : tls.connect(tlsOptions(target, target.tls));
  let done = false;
  const finish = (failure: Failure | null): void => {
    if (done) return;
    done = true;
    clock.cancelTimer(timer);
    if (failure === null) callback(null, socket);
    else {
      socket.destroy();
      callback(failure, null);
    }
  };
  const timer = clock.setTimer(finish, target.connectMs, {
    kind: 'connect_timeout',
    afterMs: target.connectMs,
  } as Failure);
  // From birth to death somebody listens: an error without a listener would end the process.
  socket.on('error', error => finish(connectFailure(error, target.tls !== null)));
  socket.once('close', () => finish({ kind: 'connect_refused', code: 'CLOSED' }));
  socket.once(target.tls === null ? 'connect' : 'secureConnect', () => finish(null));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return () => {
    done = true;
    clock.cancelTimer(timer);
    socket.destroy();
  };
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
  const serverName = settings.serverName ?? host;
  return {
    ...tcpOptions(target),
    secureContext: clientSecureContext(settings),
    // An address is no name for SNI (RFC 6066 section 3); it is verified all the same.
    servername: net.isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(serverName, certificate),
    rejectUnauthorized: settings.verify,
    ALPNProtocols: [...target.protocols],
  };
}

/** Codes of OpenSSL and Node that speak of the certificate and not of the conversation. */
const CERTIFICATE_CODE = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|CRL/;
const DNS_CODES = new Set([
  'ENOTFOUND',
  'ENODATA',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NONAME',
  'ESERVFAIL',
  'ETIMEOUT',
]);

export function connectFailure(error: Error & { code?: unknown }, secure: boolean): Failure {
  const code = typeof error.code === 'string' ? error.code : 'UNKNOWN';
  if (DNS_CODES.has(code)) return { kind: 'dns_failed', code };
  if (code === 'ETIMEDOUT') return { kind: 'connect_timeout', afterMs: 0 };
  if (secure && CERTIFICATE_CODE.test(code)) return { kind: 'tls_failed', part: 'certificate', code };
  if (
    secure &&
    (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || code === 'ECONNRESET')
  ) {
    return { kind: 'tls_failed', part: 'protocol', code };
  }
  return { kind: 'connect_refused', code };
}
