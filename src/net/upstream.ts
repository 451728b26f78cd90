import type { Address } from './endpoint.ts';
import type { ClientTlsSettings } from './tls.ts';

/** How connections to one endpoint are opened, reused and retired. Null is `off`. */
export interface UpstreamSettings {
  readonly address: Address;
  readonly protocol: 'http1' | 'http2' | 'h2c';
  readonly tls: ClientTlsSettings | null;
  readonly connectionsMax: number;
  /** Less than the keep-alive of the backend, or requests meet closing connections. */
  readonly idleMs: number;
  readonly requestsMax: number | null;
  readonly ageMsMax: number | null;
  /** Name lookup, TCP and TLS together. */
  readonly connectMs: number;
}
