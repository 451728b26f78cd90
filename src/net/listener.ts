import type { Address } from './endpoint.ts';
import type { ServerTlsSettings } from './tls.ts';

/** What `net` needs to open one listener. Null is `off`: no limit. */
export interface SocketListenerSettings {
  readonly name: string;
  readonly address: Address;
  readonly tls: ServerTlsSettings | null;
  /** Offer `h2` by ALPN where there is TLS. */
  readonly http2: boolean;
  /** Accept HTTP/2 by prior knowledge on a connection without TLS (RFC 9113 section 3.3). */
  readonly h2c: boolean;
  readonly connectionsMax: number | null;
  readonly connectionsPerIpMax: number | null;
}
