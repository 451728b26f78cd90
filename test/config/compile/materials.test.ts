import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Materials } from '../../../src/config/compile/materials.ts';
import { parseDocument } from '../../../src/config/text/document.ts';
import { caFile, client, elsewhere, server } from '../../support/certificates.ts';

function materials(configFile = '/etc/fairlead/fairlead.yaml'): Materials {
  const { document } = parseDocument('a: { certFile: x, keyFile: y }', 'fairlead.yaml', {});
  assert(document !== null);
  return new Materials(document, configFile);
}

function told(of: Materials): string[] {
  return of.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('a certificate and its key are read', () => {
  const made = materials();
  assert.deepEqual(made.readPair(server.certFile, server.keyFile, ['a']), {
    certPem: server.cert,
    keyPem: server.key,
  });
  assert.deepEqual(told(made), []);
  assert.deepEqual([...made.files.keys()], [server.certFile, server.keyFile]);
});

test('paths are relative to the configuration, and missing files are watched too', () => {
  const made = materials();
  made.readPair('tls/a.crt', '/b.key', ['a']);
  assert.deepEqual([...made.files.keys()], ['/etc/fairlead/tls/a.crt', '/b.key']);
  assert.deepEqual(told(made), [
    '1:16 a.certFile: cannot read /etc/fairlead/tls/a.crt: it does not exist',
    '1:28 a.keyFile: cannot read /b.key: it does not exist',
  ]);
});

test('a key that belongs to another certificate is found', () => {
  const made = materials();
  made.readPair(server.certFile, client.keyFile, ['a']);
  assert.match(told(made).join(), /1:28 a\.keyFile: .*client\.key is not the private key of .*server\.crt/);
});

test('files that were exchanged are found', () => {
  const made = materials();
  made.readPair(server.keyFile, server.certFile, ['a']);
  assert.match(told(made).join(), /has no PEM certificate,1:28 a\.keyFile: .*has no PEM private key/);
});

test('an authority is a certificate', () => {
  const made = materials();
  assert.match(made.readAuthorities(caFile, ['a']), /BEGIN CERTIFICATE/);
  made.readAuthorities(elsewhere.keyFile, ['a']);
  assert.equal(made.problems.length, 1);
});

test('a socket whose path becomes too long is refused', () => {
  const made = materials(`/${'long/'.repeat(20)}fairlead.yaml`);
  made.address('unix:run/a.sock', ['a']);
  assert.match(told(made).join(), /at most 107 bytes/);
});

test('addresses that are no path stay', () => {
  assert.deepEqual(materials().address('a.example:80', ['a']), { kind: 'tcp', host: 'a.example', port: 80 });
  assert.deepEqual(materials().address('fd:http', ['a']), { kind: 'fd', name: 'http' });
  assert.deepEqual(materials().address('unix:\0abstract', ['a']), { kind: 'unix', path: '\0abstract' });
});
