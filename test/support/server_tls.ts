/** TLS settings of a listener as the compiler makes them, but for what is given. */
import { TLS12_CIPHERS } from '../../src/config/schema/defaults.ts';
import type { ServerTlsSettings } from '../../src/net/tls.ts';
import { type KeyPair, server } from './certificates.ts';

export function serverTls(
  pairs: readonly KeyPair[] = [server],
  parts: Partial<ServerTlsSettings> = {},
): ServerTlsSettings {
  return {
    certificates: pairs.map(({ cert, key }) => ({ certPem: cert, keyPem: key })),
    minVersion: 'TLSv1.2',
    ciphers: TLS12_CIPHERS,
    clientCertificate: { mode: 'none', caPem: null },
    sessionTickets: { rotateMs: 43_200_000, ticketKey: null },
    rejectMisdirected: false,
    ...parts,
  };
}
