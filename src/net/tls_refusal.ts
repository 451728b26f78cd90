/**
 * A client that does not get through the TLS handshake: why, in words of which there are few, and the alert or code.
 * RFC 8446 section 6 has the alerts; OpenSSL says `ERR_SSL_...` for what it sees first.
 */

/** The label of the metric, and the `cause` of the event. */
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
  // Also what OpenSSL says of a chain that it cannot verify (`man x509_verify_cert_error_string`).
  [/CERT|UNKNOWN_CA|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL_|UNSPECIFIED/, 'certificate'],
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/^(?:ECONNRESET|EPIPE)$/, 'left'],
];

export function tlsRefusalOf(code: string): TlsRefusal {
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}

const SENTENCE = 'This port requires TLS: use https:// instead of http://.\n';

/** What a client that speaks HTTP in clear is told (RFC 9110 section 15.5.1). */
export const PLAIN_HTTP_ANSWER =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
  `Content-Length: ${SENTENCE.length}\r\nProxy-Status: fairlead; error=http_request_error\r\nConnection: close\r\n\r\n${SENTENCE}`;
