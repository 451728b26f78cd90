/** Material is read when the plan is compiled: the plan is complete without the file system. */
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
