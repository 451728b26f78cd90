/** What can be asked of an endpoint, and how the answer is told. */

/** What every question over HTTP has. */
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
  /** Must be within the first 4 KiB of the answer's body; null: the body is not looked at. */
  readonly body: string | null;
}

/** A handshake (RFC 6455 section 4) that is accepted. */
export interface WebSocketProbe extends HttpQuestion {
  readonly kind: 'webSocket';
}

/** `grpc.health.v1.Health/Check` over HTTP/2. */
interface GrpcProbe {
  readonly kind: 'grpc';
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** `tcp` only connects. */
export type ProbeSettings = { readonly kind: 'tcp' } | HttpProbe | WebSocketProbe | GrpcProbe;

/** `cause` is for a person: `status 200`, `connect_refused`, ... */
export type ProbeCallback = (ok: boolean, cause: string) => void;

export const USER_AGENT = 'fairlead-health';
