// Each server name has one certificate, or one for each type of key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CertificateSites } from '../../src/net/certificate_sites.ts';
import { ca, elsewhere, rsa, server, stranger } from '../support/certificates.ts';

const materials = [server, elsewhere, rsa, stranger].map(({ cert }) => ({ certPem: cert }));
const [ofServer, ofElsewhere, ofRsa, ofStranger] = materials as Required<typeof materials>;
const sites = (...given: ((typeof materials)[number] | undefined)[]) =>
  new CertificateSites(given.filter(one => one !== undefined));

test('a name finds its certificate, in any case, exactly or by a wildcard of one label', () => {
  const both = sites(ofElsewhere, ofServer);
  assert.deepEqual(both.fallback.certificates, [ofElsewhere], 'the first one is the default');
  assert.deepEqual(both.find('Elsewhere.TEST')?.certificates, [ofElsewhere]);
  assert.deepEqual(both.find('a.APP.test')?.certificates, [ofServer]);
  for (const name of ['a.b.app.test', 'unknown.test', '', '127.0.0.1'])
    assert.equal(both.find(name), null, name);
});

test('RSA and ECDSA for the same names go together', () => {
  const { all, conflicts } = sites(ofServer, ofElsewhere, ofRsa);
  assert.deepEqual(
    all.map(({ certificates }) => certificates),
    [[ofServer, ofRsa], [ofElsewhere]],
  );
  assert.deepEqual(conflicts, []);
});

test('of two that claim the same name the first one has it, and the conflict is known', () => {
  const both = sites(ofStranger, ofElsewhere, ofServer);
  assert.deepEqual(both.find('localhost')?.certificates, [ofStranger]);
  assert.deepEqual(both.find('app.test')?.certificates, [ofServer], 'its other names are its own');
  assert.deepEqual(both.conflicts, [{ name: 'localhost', by: 2, heldBy: 0 }]);
  assert.equal(sites(ofServer, ofServer).conflicts.length, 3, 'the same one twice');
});

test('certificates without names do not go together', () => {
  const nameless = { certPem: ca };
  assert.equal(sites(nameless, { ...nameless }).all.length, 2);
});
