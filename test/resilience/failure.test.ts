import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detailOf, FAILURE_RULES, isFailure, proxyStatusOf } from '../../src/resilience/failure.ts';

test('the table says what the contract says', () => {
  const rows = Object.entries(FAILURE_RULES).map(
    ([kind, { status, proxyStatus }]) => `${kind} ${status} ${proxyStatus}`,
  );
  for (const row of [
    'bad_request 400 http_request_error',
    'client_timeout 408 http_request_error',
    'body_too_large 413 http_request_error',
    'no_route 404 destination_not_found',
    'misdirected_request 421 http_request_denied',
    'method_not_supported 501 http_request_denied',
    'rate_limited 429 http_request_denied',
    'client_gone 499 null',
    'circuit_open 503 destination_unavailable',
    'queue_timeout 503 connection_limit_reached',
    'dns_failed 502 dns_error',
    'connect_refused 502 connection_refused',
    'connect_timeout 504 connection_timeout',
    'reset_before_head 502 connection_terminated',
    'response_head_timeout 504 http_response_timeout',
    'per_try_timeout 504 http_response_timeout',
    'bad_response 502 http_protocol_error',
    'request_timeout 504 http_response_timeout',
    'loop_detected 508 proxy_loop_detected',
    'internal 500 proxy_internal_error',
  ]) {
    assert.ok(rows.includes(row), row);
  }
});

test('a failed certificate check and a failed handshake differ', () => {
  assert.equal(
    proxyStatusOf({ kind: 'tls_failed', part: 'certificate', code: 'X' }),
    'tls_certificate_error',
  );
  assert.equal(proxyStatusOf({ kind: 'tls_failed', part: 'protocol', code: 'X' }), 'tls_protocol_error');
});

test('faults of clients are no failures; a response that breaks off is one, whatever its status was', () => {
  assert.deepEqual(
    [
      isFailure(200, null),
      isFailure(503, null),
      isFailure(404, 'no_route'),
      isFailure(501, 'method_not_supported'),
      isFailure(499, 'client_gone'),
      isFailure(200, 'reset_in_body'),
      isFailure(503, 'overloaded'),
      isFailure(503, 'maintenance'),
    ],
    [false, true, false, false, false, true, true, false],
  );
});

test('the detail of a failure is what its kind does not say', () => {
  const details = [
    detailOf({ kind: 'connect_refused', code: 'ECONNREFUSED' }),
    detailOf({ kind: 'connect_refused', code: 'EHOSTUNREACH' }),
    detailOf({ kind: 'tls_failed', part: 'certificate', code: 'CERT_HAS_EXPIRED' }),
    detailOf({ kind: 'body_too_large', limitBytes: 9 }),
    detailOf({ kind: 'circuit_open', retryAfterMs: 1, why: 'enough' }),
    detailOf({ kind: 'no_route' }),
  ];
  assert.deepEqual(details, [
    null,
    'EHOSTUNREACH',
    'certificate CERT_HAS_EXPIRED',
    'the limit is 9 bytes',
    'enough',
    null,
  ]);
});
