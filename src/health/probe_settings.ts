/** What a probe sends, and how it reports the result. */

/** Settings common to all probes over HTTP. */
interface HttpQuestion {
  readonly path: string;
  /** Value of `Host` or `:authority`; null means the address of the endpoint. */
  readonly host: string | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface HttpProbe extends HttpQuestion {
  readonly kind: 'http';
  readonly method: string;
  readonly statusMin: number;
  readonly statusMax: number;
  /** Must be within the first 4 KiB of the response body; null: the body is not read. */
  readonly body: string | null;
}

/** A WebSocket handshake (RFC 6455 section 4) must be accepted. */
export interface WebSocketProbe extends HttpQuestion {
  readonly kind: 'webSocket';
}

/** `grpc.health.v1.Health/Check` over HTTP/2. */
interface GrpcProbe {
  readonly kind: 'grpc';
  /** Name of the service; empty: the server as a whole. */
  readonly service: string;
}

/** `tcp` only connects. */
export type ProbeSettings = { readonly kind: 'tcp' } | HttpProbe | WebSocketProbe | GrpcProbe;

/** `cause` describes the result: `status 200`, `connect_refused`, … */
export type ProbeCallback = (ok: boolean, cause: string) => void;

export const USER_AGENT = 'fairlead-health';
