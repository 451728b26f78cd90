import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_HTTP_RESPONSE, tlsRefusalOf } from '../../src/net/tls_refusal.ts';

test('what OpenSSL and Node say of a failed handshake becomes one of a few words', () => {
  const words = {
    HTTP_REQUEST: 'plain_http',
    ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version',
    ERR_SSL_NO_APPLICATION_PROTOCOL: 'alpn',
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'certificate',
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'certificate',
    ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'certificate',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate',
    CERT_HAS_EXPIRED: 'certificate',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate',
    INVALID_PURPOSE: 'certificate',
    ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
    ECONNRESET: 'left',
    ERR_SSL_WHAT_NOBODY_KNOWS: 'other',
  };
  for (const [code, word] of Object.entries(words)) assert.equal(tlsRefusalOf(code), word, code);
});

test('the answer to HTTP in clear is whole', () => {
  const [head = '', body = ''] = PLAIN_HTTP_RESPONSE.split('\r\n\r\n');
  assert.match(head, new RegExp(`Content-Length: ${Buffer.byteLength(body)}(\r\n|$)`));
});
