import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clientSecureContext, materialProblem } from '../../src/net/tls.ts';
import * as certificates from '../support/certificates.ts';

const certPem = readFileSync(certificates.server.certFile, 'utf8');
const keyPem = readFileSync(certificates.server.keyFile, 'utf8');

test('material that OpenSSL would refuse is reported in its words, without its codes', () => {
  assert.equal(materialProblem({ cert: certPem, key: keyPem }), null);
  const problem = materialProblem({ cert: 'no certificate', key: keyPem });
  assert.match(problem ?? '', /^[a-z][a-z ]+$/i);
});

test('the secure context of a cluster is built once, not for each connection', () => {
  const settings = { verify: true, serverName: null, caPem: certificates.ca, certPem, keyPem };
  assert.equal(clientSecureContext(settings), clientSecureContext(settings));
  assert.notEqual(
    clientSecureContext({ ...settings }),
    clientSecureContext(settings),
    'of a reload, its own',
  );
});
