/** Builds secure contexts from TLS material, for listeners and for connections to backends. */
import tls, { type SecureContext } from 'node:tls';

/** Certificate and key. They are read when the plan is compiled, so that the plan does not depend on the file system. */
export interface CertificateMaterial {
  readonly certPem: string;
  /** Secret: masked wherever a plan is shown. */
  readonly keyPem: string;
}

export interface ServerTlsSettings {
  /** The first one is the default; at least one. */
  readonly certificates: readonly CertificateMaterial[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
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

export function serverTlsOptions(settings: ServerTlsSettings): tls.SecureContextOptions {
  const [first] = settings.certificates;
  return { cert: first?.certPem ?? '', key: first?.keyPem ?? '', minVersion: settings.minVersion };
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
