import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { namesOf } from '../../../src/net/certificate_names.ts';
import * as certificates from '../../support/certificates.ts';
import { assertOnly, messagesOf, type Parts } from '../config_text.ts';

const { certFile, keyFile } = certificates.server;
const [covered = ''] = namesOf(new X509Certificate(readFileSync(certFile))).dns;

const hosts = (text: string, rest = ''): Parts => ({
  listeners: `{ main: { address: ":443", tls: { certFile: ${certFile}, keyFile: ${keyFile} }${rest} } }`,
  routes: `[{ name: a, match: { hosts: ${text} }, respond: { status: 200 } }]`,
  clusters: '{}',
});

test('a host that no certificate of its listener is for is found', () => {
  assert.notEqual(covered, '');
  assertOnly(
    hosts(`[${covered}, other.example.net]`),
    /^host other\.example\.net of route a is in no certificate of listener main, so clients refuse it \(names there: /,
  );
  assertOnly(hosts('"*.example.net"'), /^host \*\.example\.net of route a/);
  assert.deepEqual(messagesOf(hosts(covered)), []);
});

test('a load balancer that begins TLS anew does not look at names', () => {
  assert.deepEqual(messagesOf(hosts('other.example.net', ', trustedProxies: 10.0.0.0/8')), []);
});
