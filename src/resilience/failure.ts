/**
 * Every way in which a request can fail, and what follows from each: one table.
 *
 * The `kind` of a failure is also its reason in the access log, the `reason` label of `fairlead_failures_total`, the
 * `reason` member of a problem body and the reason that `explain` prints.
 *
 * Pure code returns a `Failure`, I/O passes one to its callback: nothing in the data plane throws one.
 * Sources: RFC 9110 section 15 (status codes), RFC 9209 section 2.3 (Proxy-Status error types).
 */
import type { OverloadSignal } from './overload.ts';

/** What happened, with measured facts. `detail` never contains an address, a path or a stack. */
export type Failure =
  | { readonly kind: 'bad_request'; readonly detail: string }
  | {
      readonly kind: 'client_timeout';
      readonly timer: 'head' | 'bodyIdle' | 'minUploadRate' | 'minDownloadRate';
      readonly afterMs: number;
    }
  | { readonly kind: 'body_too_large'; readonly limitBytes: number }
  | { readonly kind: 'uri_too_long'; readonly limitBytes: number }
  | { readonly kind: 'head_too_large'; readonly limit: number; readonly unit: 'bytes' | 'fields' }
  | { readonly kind: 'no_route' }
  | { readonly kind: 'access_denied' /** Whose list it is. */; readonly by: string }
  | {
      readonly kind: 'maintenance';
      /** As configured, in place of the one in the table. */
      readonly status: number;
      readonly retryAfterMs: number;
      /** What the client is sent instead of the facts about the failure. */
      readonly page: { readonly contentType: string; readonly body: string } | null;
      /** The line that has switched it on. */
      readonly origin: string;
    }
  | { readonly kind: 'auth_required'; readonly realm: string }
  | { readonly kind: 'misdirected_request' }
  | { readonly kind: 'method_not_supported'; readonly method: string }
  | { readonly kind: 'rate_limited'; readonly limiter: string; readonly retryAfterMs: number }
  | { readonly kind: 'too_many_tunnels'; readonly limit: number }
  | { readonly kind: 'client_gone'; readonly phase: 'request' | 'response' }
  | { readonly kind: 'no_healthy_backend'; readonly cluster: string; readonly why: string }
  | { readonly kind: 'circuit_open'; readonly retryAfterMs: number; readonly why: string }
  | { readonly kind: 'queue_full'; readonly limit: number }
  | { readonly kind: 'queue_timeout'; readonly afterMs: number }
  | { readonly kind: 'dns_failed'; readonly code: string; readonly name: string }
  | { readonly kind: 'connect_refused'; readonly code: string }
  | { readonly kind: 'connect_timeout'; readonly afterMs: number }
  | { readonly kind: 'tls_failed'; readonly part: 'certificate' | 'protocol'; readonly code: string }
  | {
      readonly kind: 'reset_before_head';
      readonly code: string;
      /** Certainly nothing of the request was written. */
      readonly unsent?: true;
      /** Only this stream was reset (HTTP/2) and its connection continues, so the reset is about this request. */
      readonly streamOnly?: true;
      /** The backend did not process the request (REFUSED_STREAM, RFC 9113 section 8.7). */
      readonly refused?: true;
      /** The request was not sent: the backend allows fewer streams than was assumed before its SETTINGS arrived. */
      readonly noCapacity?: true;
    }
  | { readonly kind: 'response_head_timeout'; readonly afterMs: number }
  | { readonly kind: 'per_try_timeout'; readonly afterMs: number }
  | { readonly kind: 'bad_response'; readonly detail: string }
  | { readonly kind: 'reset_in_body'; readonly code: string }
  | { readonly kind: 'response_idle_timeout'; readonly afterMs: number }
  | { readonly kind: 'request_timeout'; readonly afterMs: number }
  | { readonly kind: 'tunnel_idle_timeout'; readonly afterMs: number }
  | { readonly kind: 'loop_detected' }
  | { readonly kind: 'overloaded'; readonly signal: 'connections' | 'password_checks' | OverloadSignal }
  | { readonly kind: 'limit_store_failed'; readonly store: string; readonly cause: string }
  | { readonly kind: 'local_exhausted' /** Of the system. */; readonly code: string }
  | { readonly kind: 'shutting_down' }
  | { readonly kind: 'internal'; readonly detail: string };

export type FailureKind = Failure['kind'];

/** Who has to act so that it does not happen again. */
type Blame = 'client' | 'upstream' | 'proxy';

/**
 *
 * When another attempt may be made:
 * - `never`: the response would be the same, or bytes of it are on their way;
 * - `other_backend`: nothing was sent, so any method may go to another backend;
 * - `idempotent`: something may have been processed (RFC 9110 section 9.2.2).
 */
type RetryRule = 'never' | 'other_backend' | 'idempotent';

interface FailureRule {
  /** HTTP status. 499 and 101 are only logged, because no response can be sent. */
  readonly status: number;
  /** RFC 9209 error type for `Proxy-Status`; null if no response can carry it. */
  readonly proxyStatus: string | null;
  readonly blame: Blame;
  readonly retry: RetryRule;
  readonly logLevel: 'info' | 'warn' | 'error';
  /** One line for people, the same for each occurrence (RFC 9457 section 3.1.3 `title`). */
  readonly title: string;
}

const CLIENT = { blame: 'client', retry: 'never', logLevel: 'info' } as const;
const CLIENT_ERROR = { ...CLIENT, proxyStatus: 'http_request_error' } as const;
const CLIENT_DENIED = { ...CLIENT, proxyStatus: 'http_request_denied' } as const;
const UPSTREAM = { blame: 'upstream', logLevel: 'warn' } as const;
const PROXY = { blame: 'proxy', retry: 'never', logLevel: 'warn' } as const;

export const FAILURE_RULES = {
  bad_request: { ...CLIENT_ERROR, status: 400, title: 'The request is malformed' },
  client_timeout: { ...CLIENT_ERROR, status: 408, title: 'The request did not arrive in time' },
  body_too_large: { ...CLIENT_ERROR, status: 413, title: 'The request body is too large' },
  uri_too_long: { ...CLIENT_ERROR, status: 414, title: 'The request target is too long' },
  head_too_large: { ...CLIENT_ERROR, status: 431, title: 'The request head is too large' },
  no_route: {
    ...CLIENT,
    proxyStatus: 'destination_not_found',
    status: 404,
    title: 'No route matches this request',
  },
  access_denied: { ...CLIENT_DENIED, status: 403, title: 'Access is denied' },
  maintenance: {
    ...PROXY,
    logLevel: 'info',
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'This service is under maintenance',
  },
  auth_required: { ...CLIENT_DENIED, status: 401, title: 'Authentication is required' },
  misdirected_request: {
    ...CLIENT_DENIED,
    status: 421,
    title: 'This connection is not for the host of the request',
  },
  method_not_supported: { ...CLIENT_DENIED, status: 501, title: 'The method is not supported' },
  rate_limited: { ...CLIENT_DENIED, status: 429, title: 'Too many requests' },
  too_many_tunnels: { ...CLIENT_DENIED, status: 429, title: 'Too many tunnels of this client' },
  client_gone: { ...CLIENT, proxyStatus: null, status: 499, title: 'The client closed the request' },
  no_healthy_backend: {
    ...UPSTREAM,
    retry: 'never',
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'No backend is available',
  },
  circuit_open: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'The backend is paused by its circuit breaker',
  },
  queue_full: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'connection_limit_reached',
    status: 503,
    title: 'Too many requests are waiting for a backend',
  },
  queue_timeout: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'connection_limit_reached',
    status: 503,
    title: 'No backend became free in time',
  },
  dns_failed: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'dns_error',
    status: 502,
    title: "The backend's name could not be resolved",
  },
  connect_refused: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'connection_refused',
    status: 502,
    title: 'The backend refused the connection',
  },
  connect_timeout: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'connection_timeout',
    status: 504,
    title: 'The backend did not accept the connection in time',
  },
  tls_failed: {
    ...UPSTREAM,
    retry: 'other_backend',
    proxyStatus: 'tls_protocol_error',
    status: 502,
    title: 'The TLS handshake with the backend failed',
  },
  reset_before_head: {
    ...UPSTREAM,
    retry: 'idempotent',
    proxyStatus: 'connection_terminated',
    status: 502,
    title: 'The backend closed the connection before it responded',
  },
  response_head_timeout: {
    ...UPSTREAM,
    retry: 'idempotent',
    proxyStatus: 'http_response_timeout',
    status: 504,
    title: 'The backend did not respond in time',
  },
  per_try_timeout: {
    ...UPSTREAM,
    retry: 'idempotent',
    proxyStatus: 'http_response_timeout',
    status: 504,
    title: 'The backend did not respond to this attempt in time',
  },
  bad_response: {
    ...UPSTREAM,
    retry: 'never',
    proxyStatus: 'http_protocol_error',
    status: 502,
    title: "The backend's response is malformed",
  },
  reset_in_body: {
    ...UPSTREAM,
    retry: 'never',
    proxyStatus: 'http_response_incomplete',
    status: 502,
    title: 'The backend cut off its response',
  },
  response_idle_timeout: {
    ...UPSTREAM,
    retry: 'never',
    proxyStatus: 'http_response_incomplete',
    status: 504,
    title: 'The backend stalled in the middle of its response',
  },
  request_timeout: {
    ...UPSTREAM,
    retry: 'never',
    proxyStatus: 'http_response_timeout',
    status: 504,
    title: 'The request took too long',
  },
  tunnel_idle_timeout: {
    ...CLIENT,
    proxyStatus: null,
    status: 101,
    title: 'The tunnel was idle for too long',
  },
  loop_detected: {
    ...PROXY,
    proxyStatus: 'proxy_loop_detected',
    status: 508,
    title: 'The request looped back to this proxy',
  },
  overloaded: {
    ...PROXY,
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'The proxy is overloaded',
  },
  limit_store_failed: {
    ...PROXY,
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'The rate limits of this request cannot be checked',
  },
  local_exhausted: {
    ...PROXY,
    logLevel: 'error',
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'The proxy has no resources left to reach a backend',
  },
  shutting_down: {
    ...PROXY,
    proxyStatus: 'destination_unavailable',
    status: 503,
    title: 'The proxy is shutting down',
  },
  internal: {
    ...PROXY,
    logLevel: 'error',
    proxyStatus: 'proxy_internal_error',
    status: 500,
    title: 'Internal error of the proxy',
  },
} as const satisfies Record<FailureKind, FailureRule>;

/**
 * `grpc-status` for gRPC clients (gRPC over HTTP/2, "Status codes and their use in gRPC"): 14 UNAVAILABLE where
 * another try may help, 4 DEADLINE_EXCEEDED, 8 RESOURCE_EXHAUSTED for limits, 12 UNIMPLEMENTED where nothing serves
 * the request, 7 and 16 for access, 13 INTERNAL for malformed messages.
 */
export const GRPC_STATUS: Readonly<Record<FailureKind, number>> = {
  bad_request: 13,
  client_timeout: 4,
  body_too_large: 8,
  uri_too_long: 8,
  head_too_large: 8,
  no_route: 12,
  access_denied: 7,
  maintenance: 14,
  auth_required: 16,
  misdirected_request: 14,
  method_not_supported: 12,
  rate_limited: 8,
  too_many_tunnels: 8,
  client_gone: 1,
  no_healthy_backend: 14,
  circuit_open: 14,
  queue_full: 14,
  queue_timeout: 14,
  dns_failed: 14,
  connect_refused: 14,
  connect_timeout: 14,
  tls_failed: 14,
  reset_before_head: 14,
  response_head_timeout: 4,
  per_try_timeout: 4,
  bad_response: 13,
  reset_in_body: 14,
  response_idle_timeout: 4,
  request_timeout: 4,
  tunnel_idle_timeout: 14,
  loop_detected: 13,
  overloaded: 14,
  limit_store_failed: 14,
  local_exhausted: 14,
  shutting_down: 14,
  internal: 13,
};

/** The RFC 9209 error type of one failure, from the table; `tls_failed` has two. */
export function proxyStatusOf(failure: Failure): string | null {
  if (failure.kind === 'tls_failed' && failure.part === 'certificate') return 'tls_certificate_error';
  return FAILURE_RULES[failure.kind].proxyStatus;
}

/**
 * Whether the request shows that something is wrong with the proxy or a backend. Faults of clients do not count, nor does
 * maintenance, which is intended: a reload that begins it must not be rolled back.
 */
export function isFailure(status: number, reason: FailureKind | null): boolean {
  if (reason === null) return status >= 500;
  return reason !== 'maintenance' && FAILURE_RULES[reason].blame !== 'client';
}

/** An ordinary success: neither a failure nor refused. */
export function wentWell(status: number, reason: FailureKind | null): boolean {
  return reason === null && status < 500;
}

/** Codes that the kind already implies: the usual code of a refused or a reset connection. */
const USUAL_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', 'CLOSED']);

/** The measured detail, for operators; null where the kind says everything. */
export function detailOf(failure: Failure): string | null {
  switch (failure.kind) {
    case 'bad_request':
    case 'bad_response':
    case 'internal':
      return failure.detail;
    case 'tls_failed':
      return `${failure.part} ${failure.code}`;
    case 'circuit_open':
    case 'no_healthy_backend':
      return failure.why;
    case 'dns_failed':
      return `${failure.name}: ${failure.code}`;
    case 'rate_limited':
      return `limit ${failure.limiter}`;
    case 'limit_store_failed':
      return `store ${failure.store}: ${failure.cause}`;
    case 'access_denied':
      return `by ${failure.by}`;
    case 'maintenance':
      return `set at ${failure.origin}`;
    case 'overloaded':
      return failure.signal;
    case 'body_too_large':
    case 'uri_too_long':
      return `the limit is ${failure.limitBytes} bytes`;
    case 'head_too_large':
      return `the limit is ${failure.limit} ${failure.unit}`;
    case 'too_many_tunnels':
      return `the limit is ${failure.limit} tunnels`;
    case 'queue_full':
      return `the limit is ${failure.limit} waiting requests`;
    default:
      return 'code' in failure && !USUAL_CODES.has(failure.code) ? failure.code : null;
  }
}
