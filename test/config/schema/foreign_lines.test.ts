import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressLine,
  endpointsLine,
  forwardLine,
  healthLine,
  hostsLine,
  listenText,
  pathText,
  portOf,
  requestTimeoutLine,
  returnLine,
  ruleLine,
} from '../../../src/config/schema/foreign_lines.ts';

test('a line has what can be read of the value, and a placeholder for the rest', () => {
  assert.equal(forwardLine('app'), 'forward: app');
  assert.equal(forwardLine(3000), 'forward: NAME, with clusters: { NAME: { endpoints: [127.0.0.1:3000] } }');
  assert.equal(forwardLine(null), 'forward: NAME, with clusters: { NAME: { endpoints: [HOST:PORT] } }');
  assert.equal(
    endpointsLine(['http://a:80/', { url: 'https://b' }, 3]),
    'endpoints: [a:80, b:443, 127.0.0.1:3]',
  );
  assert.equal(endpointsLine({}), 'endpoints: [HOST:PORT]');
  assert.equal(addressLine('http://[::1]:80'), 'address: "[::1]:80"');
  assert.equal(portOf('80'), '80');
  assert.equal(portOf('http'), 'PORT');
  for (const text of [80, '80', ':80', '*:80', '80 default_server']) assert.equal(listenText(text), '":80"');
  assert.equal(listenText('10.0.0.1:80'), '10.0.0.1:80');
  assert.equal(pathText('/api/'), '/api');
  assert.equal(pathText('/'), '/');
  assert.equal(pathText('~ \\.php$'), '/PATH');
  assert.equal(hostsLine('a.com b.com'), 'match: { hosts: [a.com, b.com] }');
  assert.equal(requestTimeoutLine('30s'), 'timeouts: { request: 30s }');
  assert.equal(requestTimeoutLine(30), 'timeouts: { request: 60s }');
  assert.equal(healthLine({ path: '/up' }), 'health: { active: { path: /up } }');
  assert.equal(healthLine(true), 'health: { active: { path: /healthz } }');
});

test('return is a redirect or a response', () => {
  assert.equal(returnLine('302 /x'), 'redirect: { status: 302, to: "https://{host}{path}{query}" }');
  assert.equal(returnLine('https://x'), 'redirect: { status: 308, to: "https://{host}{path}{query}" }');
  assert.equal(returnLine(404), 'respond: { status: 404 }');
});

test('a rule of Traefik is read where it has one meaning', () => {
  assert.equal(
    ruleLine('Host(`a.com`, `b.com`) && PathPrefix(`/x`)'),
    'match: { hosts: [a.com, b.com], path: { prefix: /x } }',
  );
  assert.equal(ruleLine('Host(`a.com`)'), 'match: { hosts: [a.com] }');
  assert.equal(ruleLine('Path(`/x`)'), 'match: { path: { exact: /x } }');
  for (const rule of ['Host(`a`) || Path(`/x`)', '!Host(`a`)', 'HostRegexp(`a`)', 5, ''])
    assert.equal(ruleLine(rule), 'match: { hosts: [NAME], path: { prefix: /PATH } }', String(rule));
});
