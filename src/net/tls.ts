/** TLS material of the plan becomes secure contexts, for listeners and for connections to backends. */
import tls, { type SecureContext } from 'node:tls';

/** Material is read when the plan is compiled: the plan is complete without the file system. */
export interface CertificateMaterial {
  readonly certPem: string;
  /** Secret: masked wherever a plan is shown. */
  readonly keyPem: string;
}

/** 16 bytes of name, 16 for HMAC-SHA256, 16 for AES-128: what Node and OpenSSL take. */
export const TICKET_KEY_BYTES = 48;

export interface TicketSettings {
  /** How often a key of its own is replaced. */
  readonly rotateMs: number;
  /** Shared by several machines: 48 bytes in Base64. Null: a key of its own. Secret. */
  readonly ticketKey: string | null;
}

export interface ServerTlsSettings {
  /** The first one is the default; at least one. */
  readonly certificates: readonly CertificateMaterial[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Of TLS 1.2, in the order in which they are preferred, by their OpenSSL names. */
  readonly ciphers: readonly string[];
  readonly clientCertificate: {
    readonly mode: 'none' | 'optional' | 'required';
    /** The authorities that may sign it; null where none is asked for. */
    readonly caPem: string | null;
  };
  /** Null: no session tickets. */
  readonly sessionTickets: TicketSettings | null;
  /** Answers 421 to a request for a host that the certificate which the client asked for is not for. */
  readonly rejectMisdirected: boolean;
}

/** How the proxy speaks TLS to a backend. */
export interface ClientTlsSettings {
  /** False accepts any certificate: only for tests and migrations, and the lint says so. */
  readonly verify: boolean;
  /** Name asked for (SNI) and verified; null: the host of the endpoint. */
  readonly serverName: string | null;
  readonly caPem: string | null;
  readonly certPem: string | null;
  readonly keyPem: string | null; // secret
}

/**
 * Why OpenSSL would not use this material, or null: it refuses what a parser accepts, keys that are too short for its
 * security level, a chain whose second certificate is damaged.
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
    // "error:0A00018F:SSL routines::ee key too small": the last part is for people.
    return (error instanceof Error ? error.message : String(error)).split(':').at(-1)?.trim() || 'unknown';
  }
}

/** One context for each settings object: building one costs milliseconds. */
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
