// What a client's certificate says is passed on as text that is safe in a header field.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { describeClientCertificate } from '../../src/net/client_certificate.ts';
import { device, nameless } from '../support/certificates.ts';

test('the subject is written as RFC 4514 has it, with everything escaped that could be mistaken', () => {
  const certificate = new X509Certificate(device.cert);
  assert.deepEqual(describeClientCertificate(certificate), {
    subject: 'CN=Ger\\C3\\A4t 7,O=Fairlead\\, Inc.',
    alternativeNames: 'URI:spiffe://example.test/device/7, DNS:device.test, email:seven@example.test',
    sha256: '6179507ad6ea71c70b306832f1303a16cdcc7e47740d23a77fdbef986faff70f',
  });
});

test('a certificate without alternative names has none', () => {
  const { subject, alternativeNames } = describeClientCertificate(new X509Certificate(nameless.cert));
  assert.deepEqual([subject, alternativeNames], ['CN=nameless.test', null]);
});

test('nothing can break out of a header field, and what is too long to pass on is left out', () => {
  const fake = {
    subject: 'CN=a\u0000\r\u2028\nO=b',
    subjectAltName: 'DNS:a\r\nEvil: 1',
    fingerprint256: 'AB:CD',
  };
  const told = describeClientCertificate(fake as X509Certificate);
  assert.deepEqual(told, {
    subject: 'O=b,CN=a\\00\\0D\\E2\\80\\A8',
    alternativeNames: 'DNS:a\\0D\\0AEvil: 1',
    sha256: 'abcd',
  });
  const long = { ...fake, subject: 'x'.repeat(5_000), subjectAltName: 'DNS:a, '.repeat(900) };
  const { subject, alternativeNames } = describeClientCertificate(long as X509Certificate);
  assert.deepEqual([subject.length, alternativeNames], [4_096, null]);
});
