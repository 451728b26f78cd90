import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caFile, elsewhere, nameless, rsa, server, stranger } from '../../support/certificates.ts';
import { loadedFrom, problemsOf } from '../config_text.ts';

const listenersWith = (pairs: readonly { certFile: string; keyFile: string }[], rest: string) => {
  const list = pairs
    .map(({ certFile, keyFile }) => `{ certFile: ${certFile}, keyFile: ${keyFile} }`)
    .join(', ');
  return { listeners: `{ main: { address: 127.0.0.1:0, tls: { certificates: [${list}], ${rest} } } }` };
};
const problems = (rest: string) => problemsOf(listenersWith([server], rest)).map(({ message }) => message);
const warnings = (pairs: readonly { certFile: string; keyFile: string }[], rest = '') =>
  loadedFrom(listenersWith(pairs, rest)).warnings.map(({ message }) => message);

test('who asks clients for certificates says who may sign them', () => {
  for (const mode of ['optional', 'required'])
    assert.match(
      problems(`clientCertificate: { mode: ${mode} }`).join(),
      new RegExp(`^${mode} needs caFile`),
    );
  assert.deepEqual(warnings([server], `clientCertificate: { mode: required, caFile: ${caFile} }`), []);
  assert.match(
    warnings([server], `clientCertificate: { caFile: ${caFile} }`).join(),
    /no effect while mode is none/,
  );
});

test('a shared key is not rotated here', () => {
  assert.match(
    problems(`sessionTickets: { rotate: 1h, keyFile: ${caFile} }`).join('\n'),
    /rotate has no effect on a shared key/,
  );
});

test('two certificates for one name are told with both files, but not two types of key for the same names', () => {
  const [message = '', ...more] = warnings([server, stranger]);
  assert.deepEqual(more, []);
  assert.match(
    message,
    /stranger\.crt and .*server\.crt are both for localhost; .* first one, .*server\.crt$/,
  );
  assert.equal(warnings([server, server]).length, 1, 'once, however many names they share');
  assert.deepEqual(warnings([server, elsewhere, rsa]), []);
});

test('a certificate that no client can ask for is told, unless it is the default', () => {
  assert.match(warnings([server, nameless]).join(), /nameless\.crt has no DNS name/);
  assert.deepEqual(warnings([nameless, server]), []);
});

test('the names of cipher suites are those that OpenSSL takes', () => {
  assert.match(
    problems('ciphers: [ecdhe-ecdsa-aes128-gcm-sha256]').join(),
    /not a cipher suite; write ECDHE-ECDSA-AES128-GCM-SHA256/,
  );
  assert.match(problems('ciphers: [NULL-ISH]').join(), /write its OpenSSL name/);
});

test('weak cipher suites are told, and those without effect', () => {
  assert.deepEqual(warnings([server], 'ciphers: [ECDHE-ECDSA-CHACHA20-POLY1305]'), []);
  for (const cipher of ['ECDHE-RSA-AES128-SHA256', 'AES128-GCM-SHA256', 'DHE-RSA-AES128-GCM-SHA256'])
    assert.match(warnings([server], `ciphers: [${cipher}]`).join(), /is weak/);
  assert.match(
    warnings([server], 'ciphers: [ECDHE-ECDSA-AES128-GCM-SHA256], minVersion: TLSv1.3').join(),
    /ciphers has no effect/,
  );
});
