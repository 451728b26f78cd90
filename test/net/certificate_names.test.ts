// Whom a certificate is for decides which one a client gets, and which requests may come on its connection.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { covers, namesOf as namesOfCertificate, wildcardOf } from '../../src/net/certificate_names.ts';
import { ca, device, server } from '../support/certificates.ts';

const namesOf = (pem: string) => namesOfCertificate(new X509Certificate(pem));

test('names are the subject alternative names, and nothing else', () => {
  assert.deepEqual(namesOf(server.cert), {
    dns: ['localhost', 'app.test', '*.app.test'],
    addresses: ['127.0.0.1', '[::1]'],
  });
  assert.deepEqual(namesOf(device.cert), { dns: ['device.test'], addresses: [] }, 'a URI is no host');
  assert.deepEqual(namesOf(ca), { dns: [], addresses: [] }, 'a common name is no name');
});

test('a wildcard covers exactly one label, and addresses are covered in any spelling', () => {
  const names = namesOf(server.cert);
  for (const host of [
    'localhost',
    'app.test',
    'a.app.test',
    'xn--a.app.test',
    '127.0.0.1',
    '[::1]',
    '[0:0::1]',
  ])
    assert.equal(covers(names, host), true, host);
  for (const host of ['a.b.app.test', '.app.test', 'test', '*.test', 'app.testing', '127.0.0.2', '[::2]', ''])
    assert.equal(covers(names, host), false, host);
  assert.equal(wildcardOf('a.b.test'), '*.b.test');
  assert.equal(wildcardOf('localhost'), '');
});
