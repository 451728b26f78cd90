import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequestHead } from '../../src/security/request_head.ts';
import { acceptedHead, HEAD_LIMITS, PATH_RULES, rawRequest, verdict } from '../support/request_heads.ts';

test('a plain request is understood as it came', () => {
  const headers = [
    'Host',
    'A.Example:8080',
    'X-One',
    '1',
    'x-one',
    '2',
    'Accept',
    'text/html',
    'accept',
    'a/b',
  ];
  const head = acceptedHead(rawRequest({ target: '/a%20b?c=/../%zz', headers }));
  assert.deepEqual(
    { ...head },
    {
      method: 'GET',
      target: '/a%20b?c=/../%zz',
      path: '/a%20b',
      query: '?c=/../%zz',
      matchPath: '/a%20b',
      authority: 'A.Example:8080',
      matchHost: 'a.example',
      headers,
      connectionTokens: [],
      contentLength: null,
      hasBody: false,
      expectContinue: false,
      upgrade: null,
      accept: 'text/html, a/b',
    },
  );
  assert.equal(head.headers, headers, 'the list is not copied');
});

test('heads without names in Connection share one empty list', () => {
  const plain = acceptedHead(rawRequest());
  const kept = acceptedHead(rawRequest({ headers: ['Host', 'a', 'Connection', 'Keep-Alive'] }));
  assert.equal(plain.connectionTokens, kept.connectionTokens);
});

test('every limit of a head is met exactly and refused one above', () => {
  const limits = { headBytesMax: 100, headerCountMax: 2, uriBytesMax: 10 };
  const two = ['Host', 'a', 'X', '1'];
  const refusal = (parts: object) =>
    parseRequestHead(rawRequest({ headers: two, ...parts }), limits, PATH_RULES);
  assert.equal(verdict(rawRequest({ headers: two, target: '/234567890' }), PATH_RULES, limits), 'accepted');
  assert.deepEqual(refusal({ target: '/2345678901' }), { kind: 'uri_too_long', limitBytes: 10 });
  assert.deepEqual(refusal({ headers: [...two, 'Y', '2'] }), {
    kind: 'head_too_large',
    limit: 2,
    unit: 'fields',
  });
  // GET and /, then (4 + 1) + 4 and (1 + n) + 4 bytes of fields
  const filled = (bytes: number) => ['Host', 'a', 'X', 'v'.repeat(bytes - 4 - 9 - 5)];
  assert.equal(verdict(rawRequest({ headers: filled(100) }), PATH_RULES, limits), 'accepted');
  assert.deepEqual(refusal({ headers: filled(101) }), { kind: 'head_too_large', limit: 100, unit: 'bytes' });
});

test('CONNECT makes no tunnel', () => {
  const raw = rawRequest({ method: 'CONNECT', target: 'a.example:443' });
  assert.deepEqual(parseRequestHead(raw, HEAD_LIMITS, PATH_RULES), {
    kind: 'method_not_supported',
    method: 'CONNECT',
  });
});

test('a method is a token, known or not', () => {
  assert.equal(verdict(rawRequest({ method: 'PROPFIND' })), 'accepted');
  assert.equal(verdict(rawRequest({ method: 'X-NEW~1' })), 'accepted');
  for (const method of ['', 'GE T', 'GET\r\n', 'GÉT', 'A'.repeat(65)]) {
    assert.equal(verdict(rawRequest({ method })), 'bad_request', JSON.stringify(method));
  }
});

test('a body is expected when its length or its coding says so', () => {
  const withField = (name: string, value: string) =>
    acceptedHead(rawRequest({ method: 'POST', headers: ['Host', 'a', name, value] }));
  assert.deepEqual(pick(withField('Content-Length', '5')), { contentLength: 5, hasBody: true });
  assert.deepEqual(pick(withField('content-length', '0')), { contentLength: 0, hasBody: false });
  assert.deepEqual(pick(withField('Transfer-Encoding', 'chunked')), { contentLength: null, hasBody: true });
  assert.deepEqual(pick(withField('X-Length', '5')), { contentLength: null, hasBody: false });
});

test('100-continue is owed only to a client that waits with a body', () => {
  const withExpect = (value: string, more: object = {}) =>
    acceptedHead(rawRequest({ headers: ['Host', 'a', 'Content-Length', '1', 'Expect', value], ...more }));
  assert.equal(withExpect('100-continue').expectContinue, true);
  assert.equal(withExpect('100-Continue').expectContinue, true);
  assert.equal(withExpect('200-ok').expectContinue, false);
  assert.equal(
    withExpect('100-continue', { protocol: 'HTTP/1.0' }).expectContinue,
    false,
    'RFC 9110 section 10.1.1',
  );
  const bodyless = acceptedHead(rawRequest({ headers: ['Host', 'a', 'Expect', '100-continue'] }));
  assert.equal(bodyless.expectContinue, false, 'there is nothing to wait for');
});

test('only a GET of HTTP/1.1 that says so twice becomes a WebSocket', () => {
  const withFields = (connection: string, upgrade: string, more: object = {}) =>
    acceptedHead(
      rawRequest({ headers: ['Host', 'a', 'Connection', connection, 'Upgrade', upgrade], ...more }),
    );
  assert.equal(withFields('Upgrade', 'websocket').upgrade, 'websocket');
  assert.equal(withFields('keep-alive, UPGRADE', 'WebSocket').upgrade, 'websocket');
  assert.equal(withFields('keep-alive', 'websocket').upgrade, null);
  assert.equal(withFields('x-upgrade', 'websocket').upgrade, null, 'another name that ends alike');
  assert.equal(withFields('Upgrade', 'h2c').upgrade, null);
  assert.equal(withFields('Upgrade', 'websocket, h2c').upgrade, null);
  assert.equal(withFields('Upgrade', 'websocket', { method: 'POST' }).upgrade, null);
  assert.equal(withFields('Upgrade', 'websocket', { protocol: 'HTTP/1.0' }).upgrade, null);
  const twice = ['Host', 'a', 'Connection', 'Upgrade', 'Upgrade', 'h2c', 'Upgrade', 'websocket'];
  assert.equal(acceptedHead(rawRequest({ headers: twice })).upgrade, null);
  const split = ['Host', 'a', 'Connection', 'x-a', 'Connection', 'upgrade', 'Upgrade', 'websocket'];
  assert.equal(acceptedHead(rawRequest({ headers: split })).upgrade, 'websocket');
});

test('a WebSocket handshake with a body is refused: its bytes would pass as those of the tunnel', () => {
  const handshake = ['Host', 'a', 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  for (const method of ['GET', 'POST']) {
    const raw = rawRequest({ method, headers: [...handshake, 'Content-Length', '3'] });
    assert.equal(verdict(raw), 'bad_request', method);
  }
});

test('names listed in Connection are bounded', () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `x-${at}`).join(',');
  assert.equal(verdict(rawRequest({ headers: ['Host', 'a', 'Connection', names(32)] })), 'accepted');
  assert.equal(verdict(rawRequest({ headers: ['Host', 'a', 'Connection', names(33)] })), 'bad_request');
  const spread = ['Host', 'a', 'Connection', names(32), 'Connection', 'one-more'];
  assert.equal(verdict(rawRequest({ headers: spread })), 'bad_request');
});

test('the path rules of the listener decide', () => {
  const climbing = rawRequest({ target: '/a/../b' });
  assert.equal(
    verdict(climbing, { dotSegments: 'reject', encodedSlash: 'keep', slashes: 'keep', semicolons: 'keep' }),
    'bad_request',
  );
  const head = acceptedHead(climbing, {
    dotSegments: 'resolve',
    encodedSlash: 'keep',
    slashes: 'keep',
    semicolons: 'keep',
  });
  assert.equal(head.matchPath, '/b');
  assert.equal(head.target, '/a/../b', 'the backend gets the bytes as they came');
});

function pick({ contentLength, hasBody }: { contentLength: number | null; hasBody: boolean }) {
  return { contentLength, hasBody };
}
