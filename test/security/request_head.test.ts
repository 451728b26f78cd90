import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequestHead } from '../../src/security/request_head.ts';
import {
  acceptedHead,
  fields,
  HEAD_LIMITS,
  HEADER_RULES,
  PATH_RULES,
  rawHttp2Request,
  rawRequest,
  verdict,
} from '../support/request_heads.ts';

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
    parseRequestHead(rawRequest({ headers: two, ...parts }), limits, PATH_RULES, HEADER_RULES);
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
  assert.deepEqual(parseRequestHead(raw, HEAD_LIMITS, PATH_RULES, HEADER_RULES), {
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

test('a field that may be there once is refused twice, in both protocols', () => {
  for (const name of ['Authorization', 'Content-Type', 'Host', 'Content-Length']) {
    for (const other of [name, name.toLowerCase(), name.toUpperCase()]) {
      const twice = ['Host', 'a.example', name, '1', other, '1'];
      assert.equal(verdict(rawRequest({ headers: twice })), 'bad_request', other);
      assert.equal(verdict(rawHttp2Request({ headers: twice.slice(2) })), 'bad_request', other);
    }
  }
  const once = [
    'Host',
    'a.example',
    'Authorization',
    'Basic x',
    'Content-Type',
    'text/plain',
    'Accept',
    'a',
    'Accept',
    'b',
  ];
  assert.equal(verdict(rawRequest({ headers: once })), 'accepted');
});

test('a field name with an underscore is dropped, refused or kept, as the listener says', () => {
  const headers = fields('Host: a.example', 'X_Forwarded_For: 6.6.6.6', 'X-Kept: 1', '_: 2');
  const raw = rawRequest({ headers });
  const left = (underscores: 'drop' | 'keep') =>
    acceptedHead(raw, PATH_RULES, HEAD_LIMITS, { underscores }).headers;
  assert.deepEqual(left('drop'), fields('Host: a.example', 'X-Kept: 1'));
  assert.equal(left('keep'), headers);
  assert.equal(verdict(raw, PATH_RULES, HEAD_LIMITS, { underscores: 'reject' }), 'bad_request');
  const plain = rawRequest({ headers: fields('Host: a.example', 'X-Value: with_underscore') });
  for (const underscores of ['drop', 'reject'] as const)
    assert.equal(acceptedHead(plain, PATH_RULES, HEAD_LIMITS, { underscores }).headers, plain.headers);
});
