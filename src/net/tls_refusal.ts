/**
 * Why a client failed in the TLS handshake: one of a few causes, with the alert or code. RFC 8446 section 6 lists the
 * alerts; OpenSSL reports `ERR_SSL_...` for what it detects itself.
 */

/** Label of the metric, and `cause` of the event. */
export const TLS_REFUSALS = [
  'plain_http',
  'version',
  'alpn',
  'certificate',
  'timeout',
  'left',
  'other',
] as const;
export type TlsRefusal = (typeof TLS_REFUSALS)[number];

const BY_CODE: readonly (readonly [RegExp, TlsRefusal])[] = [
  [/HTTP_REQUEST/, 'plain_http'],
  [/UNSUPPORTED_PROTOCOL|WRONG_VERSION|INAPPROPRIATE_FALLBACK|ALERT_PROTOCOL_VERSION/, 'version'],
  [/NO_APPLICATION_PROTOCOL/, 'alpn'],
  // Also OpenSSL's codes for a chain that it cannot verify (`man x509_verify_cert_error_string`).
  [/CERT|UNKNOWN_CA|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL_|UNSPECIFIED/, 'certificate'],
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/^(?:ECONNRESET|EPIPE)$/, 'left'],
];

export function tlsRefusalOf(code: string): TlsRefusal {
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}

const SENTENCE = 'This port requires TLS: use https:// instead of http://.\n';

/** Sent to a client that speaks HTTP without TLS (RFC 9110 section 15.5.1). */
export const PLAIN_HTTP_RESPONSE =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
  `Content-Length: ${SENTENCE.length}\r\nProxy-Status: fairlead; error=http_request_error\r\nConnection: close\r\n\r\n${SENTENCE}`;
