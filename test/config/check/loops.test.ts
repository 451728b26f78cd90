import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as certificates from '../../support/certificates.ts';
import { assertOnly, messagesOf, type Parts } from '../config_text.ts';

const { certFile, keyFile } = certificates.server;

function looping(listen: string, endpoint: string): Parts {
  return {
    listeners: `{ main: { address: "${listen}" } }`,
    clusters: `{ app: { endpoints: ["${endpoint}"] } }`,
  };
}

test('an endpoint that is a listener of this proxy is found', () => {
  for (const [listen, endpoint] of [
    ['127.0.0.1:8080', '127.0.0.1:8080'],
    ['127.0.0.1:8080', 'localhost:8080'],
    [':8080', '127.0.0.1:8080'],
    ['0.0.0.0:8080', 'localhost:8080'],
    [':8080', '[::1]:8080'],
    ['unix:/run/x.sock', 'unix:/run/x.sock'],
  ] as const)
    assertOnly(looping(listen, endpoint), /of cluster app is listener main of this proxy/);
  for (const [listen, endpoint] of [
    ['127.0.0.1:8080', '127.0.0.1:8081'],
    [':8080', '10.0.0.1:8080'],
    ['127.0.0.1:8080', 'app:8080'],
    ['10.0.0.1:8080', '127.0.0.1:8080'],
  ] as const)
    assert.deepEqual(messagesOf(looping(listen, endpoint)), [], `${listen} ${endpoint}`);
});

const TLS = `{ address: ":443", tls: { certFile: ${certFile}, keyFile: ${keyFile} } }`;
const redirecting = (to: string, listeners: string, match = ''): Parts => ({
  listeners,
  routes: `[{ name: r, ${match} redirect: { to: "${to}" } }]`,
  clusters: '{}',
});

test('a redirect to itself is found, by scheme, host and path', () => {
  const loops = /^route r redirects to itself on listener/;
  assertOnly(redirecting('{path}{query}', '{ web: { address: ":80" } }'), loops);
  assertOnly(redirecting('/a', '{ web: { address: ":80" } }', 'match: { path: { prefix: /a } },'), /./);
  assertOnly(
    redirecting('https://{host}{path}', `{ web: { address: ":80" }, tls: ${TLS} }`),
    /on listener tls: a client/,
  );
  assertOnly(redirecting('http://a.com/', '{ web: { address: ":80" } }', 'match: { hosts: a.com },'), loops);
  for (const [to, match] of [
    ['https://{host}{path}', ''],
    ['http://b.com{path}', 'match: { hosts: a.com },'],
    ['/b', 'match: { path: { prefix: /a } },'],
    ['/a/b', 'match: { path: { exact: /a } },'],
    ['http://{host}:81{path}', ''],
    ['{path}/', 'match: { path: { exact: /a } },'],
  ] as const)
    assert.deepEqual(messagesOf(redirecting(to, '{ web: { address: ":80" } }', match)), [], to);
});

test('behind a proxy the scheme of the client is not known', () => {
  const listeners = '{ web: { address: ":80", trustedProxies: 10.0.0.0/8 } }';
  assert.deepEqual(messagesOf(redirecting('http://{host}{path}', listeners)), []);
});
