/** Builds secure contexts from TLS material, for listeners and for connections to backends. */
import tls, { type SecureContext } from 'node:tls';

/** Certificate and key. They are read when the plan is compiled, so that the plan does not depend on the file system. */
export interface CertificateMaterial {
  readonly certPem: string;
  /** Secret: masked wherever a plan is shown. */
  readonly keyPem: string;
}

/** 16 bytes of name, 16 for HMAC-SHA256, 16 for AES-128: the format of Node and OpenSSL. */
export const TICKET_KEY_BYTES = 48;

export interface TicketSettings {
  /** How often the listener's own key is replaced. */
  readonly rotateMs: number;
  /** Shared by several machines: 48 bytes in Base64; secret. Null: the listener has its own key. */
  readonly ticketKey: string | null;
}

export interface ServerTlsSettings {
  /** The first one is the default; at least one. */
  readonly certificates: readonly CertificateMaterial[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites of TLS 1.2 by their OpenSSL names, the preferred one first. */
  readonly ciphers: readonly string[];
  readonly clientCertificate: {
    readonly mode: 'none' | 'optional' | 'required';
    /** The authorities that may sign it; null if clients are not asked for one. */
    readonly caPem: string | null;
  };
  /** Null: no session tickets. */
  readonly sessionTickets: TicketSettings | null;
  /** Whether a request gets 421 if the certificate that the client asked for does not cover its host. */
  readonly rejectMisdirected: boolean;
}

/** TLS settings for connections to a backend. */
export interface ClientTlsSettings {
  /** False accepts any certificate. Only for tests and migrations; the lint warns. */
  readonly verify: boolean;
  /** Host name for SNI and verification; null: the host of the endpoint. */
  readonly serverName: string | null;
  readonly caPem: string | null;
  readonly certPem: string | null;
  readonly keyPem: string | null; // secret
}

/**
 * Why OpenSSL would refuse this material, or null. OpenSSL refuses more than a parser does: keys that are too short
 * for its security level, a chain whose second certificate is damaged.
 */
export function materialProblem(material: {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}): string | null {
  try {
    tls.createSecureContext(material);
    return null;
  } catch (error) {
    // "error:0A00018F:SSL routines::ee key too small": the last part is readable.
    return (error instanceof Error ? error.message : String(error)).split(':').at(-1)?.trim() || 'unknown';
  }
}

/** One context per settings object, because building one takes milliseconds. */
const clientContexts = new WeakMap<ClientTlsSettings, SecureContext>();

export function clientSecureContext(settings: ClientTlsSettings): SecureContext {
  const known = clientContexts.get(settings);
  if (known !== undefined) return known;
  const context = tls.createSecureContext({
    ...(settings.caPem === null ? {} : { ca: settings.caPem }),
    ...(settings.certPem === null ? {} : { cert: settings.certPem }),
    ...(settings.keyPem === null ? {} : { key: settings.keyPem }),
  });
  clientContexts.set(settings, context);
  return context;
}
