/**
 * The secure contexts of one listener: one for each group of certificates, all with the same policy and the same key for
 * session tickets. OpenSSL reads a ticket with the default context and writes it with the chosen one, so the keys must agree.
 *
 * What is fixed here, and why:
 * - TLS 1.3 has its three suites (RFC 8446 section 9.1); `ciphers` applies only to TLS 1.2.
 * - The groups have constant-time implementations; no finite fields (RFC 7919), which cost more without a benefit.
 * - Renegotiation is off (CVE-2009-3555; and a client could keep the server busy for ever).
 */
import { constants, createHash } from 'node:crypto';
import tls, { type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { CertificateSites, type Site } from '../certificate_sites.ts';
import type { CertificateMaterial, ServerTlsSettings } from '../tls.ts';

const TLS13_SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
const CLASSIC_GROUPS = 'X25519:P-256:P-384';
/** The first one keeps recorded traffic safe from quantum computers; browsers prefer it. OpenSSL has it from 3.5 on. */
const GROUPS = groupsOf(`X25519MLKEM768:${CLASSIC_GROUPS}`) ?? CLASSIC_GROUPS;
/** How long session tickets are valid: the default of OpenSSL, and of nginx (`ssl_session_timeout`). */
const SESSION_TIMEOUT_S = 300;

type ServerSite = Site<CertificateMaterial>;

export class ServerContexts {
  readonly #settings: ServerTlsSettings;
  readonly #ticketKey: Buffer | null;
  readonly #sites: CertificateSites<CertificateMaterial>;
  /** Built when a client asks for it, because building one costs milliseconds. */
  readonly #contexts = new Map<ServerSite, SecureContext>();

  /** `ticketKey`: 48 bytes; null: no tickets. */
  constructor(settings: ServerTlsSettings, ticketKey: Buffer | null) {
    this.#settings = settings;
    this.#ticketKey = ticketKey;
    this.#sites = new CertificateSites(settings.certificates);
  }

  /** Options of a `tls.Server`: certificates, client certificates, versions, ciphers and tickets. */
  get serverOptions(): TlsOptions {
    const { mode } = this.#settings.clientCertificate;
    return {
      ...this.#optionsOf(this.#sites.fallback),
      requestCert: mode !== 'none',
      rejectUnauthorized: mode === 'required',
      ...(this.#sites.all.length === 1 ? {} : { SNICallback: this.#chooseContext }),
    };
  }

  /** Null: the client named no server, or one that has no certificate of its own. */
  siteOf(serverName: string | null): ServerSite | null {
    return serverName === null ? null : this.#sites.find(serverName);
  }

  /** Without a context, Node uses the default one. */
  readonly #chooseContext: NonNullable<TlsOptions['SNICallback']> = (name, done) => {
    const site = this.#sites.find(name);
    if (site === null || site === this.#sites.fallback) return done(null);
    let context = this.#contexts.get(site);
    if (context === undefined) {
      context = tls.createSecureContext(this.#optionsOf(site));
      this.#contexts.set(site, context);
    }
    done(null, context);
  };

  #optionsOf({ certificates }: ServerSite): SecureContextOptions {
    const { minVersion, ciphers, clientCertificate } = this.#settings;
    const noTickets = this.#ticketKey === null ? constants.SSL_OP_NO_TICKET : 0;
    return {
      cert: certificates.map(({ certPem }) => certPem),
      key: certificates.map(({ keyPem }) => keyPem),
      ...(clientCertificate.caPem === null ? {} : { ca: clientCertificate.caPem }),
      minVersion,
      ciphers: [...TLS13_SUITES, ...ciphers].join(':'),
      honorCipherOrder: true,
      ecdhCurve: GROUPS,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | noTickets,
      sessionIdContext: sessionContextOf(this.#settings),
      sessionTimeout: SESSION_TIMEOUT_S,
      ...(this.#ticketKey === null ? {} : { ticketKeys: this.#ticketKey }),
    };
  }
}

/**
 * A session is resumed only under the policy under which it began: otherwise a ticket would let a client bypass another
 * `caFile`. The value is the same on every machine that shares the key. OpenSSL takes 32 characters.
 */
function sessionContextOf({ clientCertificate: { mode, caPem } }: ServerTlsSettings): string {
  return createHash('sha256')
    .update(`${mode} ${caPem ?? ''}`)
    .digest('hex')
    .slice(0, 32);
}

/** Null: this build of OpenSSL does not have all of them. */
function groupsOf(ecdhCurve: string): string | null {
  try {
    tls.createSecureContext({ ecdhCurve });
    return ecdhCurve;
  } catch {
    return null;
  }
}
