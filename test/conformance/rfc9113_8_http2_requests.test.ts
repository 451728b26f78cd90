// RFC 9113 section 8: what makes an HTTP/2 request malformed, beyond what nghttp2 refuses already.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedHead,
  fields,
  HEAD_LIMITS,
  PATH_RULES,
  rawHttp2Request,
  verdict,
} from '../support/request_heads.ts';

test('RFC 9113 section 8.2.2: fields about the connection do not exist in HTTP/2', () => {
  const refused = [
    'connection: close',
    'connection: keep-alive',
    'keep-alive: timeout=5',
    'proxy-connection: close',
    'transfer-encoding: chunked',
    'upgrade: websocket',
    'te: gzip',
    'te: trailers, gzip',
    'te:',
  ];
  for (const line of refused) {
    const raw = rawHttp2Request({ headers: fields(line), endOfStream: false });
    assert.equal(verdict(raw), 'bad_request', line);
  }
  assert.equal(verdict(rawHttp2Request({ headers: fields('te: trailers') })), 'accepted');
});

test('RFC 9113 section 8.3.1: Host may repeat :authority, not differ from it', () => {
  const rows: readonly (readonly [authority: string | null, host: string | null, expected: string | null])[] =
    [
      ['a.example', null, 'a.example'],
      ['a.example', 'a.example', 'a.example'],
      ['a.example', 'A.Example', 'a.example'],
      ['a.example:443', 'a.example', 'a.example:443'],
      ['a.example', 'a.example:80', 'a.example'],
      [null, 'a.example', 'a.example'],
      ['a.example', 'b.example', null],
      ['a.example:8443', 'a.example', null],
      ['a.example', '', null],
      ['', null, null],
      [null, null, null],
      [null, '', null],
      ['user@a.example', null, null],
      ['a.example', 'user@a.example', null],
    ];
  for (const [authority, host, expected] of rows) {
    const raw = rawHttp2Request({ authority, headers: host === null ? [] : ['host', host] });
    const context = `:authority ${authority}, host ${host}`;
    if (expected === null) assert.equal(verdict(raw), 'bad_request', context);
    else assert.equal(acceptedHead(raw).authority, expected, context);
  }
  const twice = rawHttp2Request({ headers: fields('host: a.example', 'host: a.example') });
  assert.equal(verdict(twice), 'bad_request');
});

test('RFC 9113 section 8.3.1: :path is an origin form, or "*" of OPTIONS', () => {
  assert.equal(acceptedHead(rawHttp2Request({ target: '/a?b' })).target, '/a?b');
  assert.equal(acceptedHead(rawHttp2Request({ method: 'OPTIONS', target: '*' })).target, '*');
  for (const target of ['', '*', 'a', 'http://b.example/', '/a b', '/a#b', '/\r\n']) {
    assert.equal(verdict(rawHttp2Request({ target })), 'bad_request', JSON.stringify(target));
  }
});

test('RFC 9113 section 8.1: the end of the stream says whether there is a body', () => {
  const headers = fields('content-length: 5');
  assert.equal(acceptedHead(rawHttp2Request({ endOfStream: false })).hasBody, true);
  assert.equal(acceptedHead(rawHttp2Request({ endOfStream: true })).hasBody, false);
  assert.equal(acceptedHead(rawHttp2Request({ endOfStream: false, headers })).contentLength, 5);
  assert.equal(verdict(rawHttp2Request({ endOfStream: true, headers })), 'bad_request', 'section 8.1.1');
});

test('RFC 9110 section 10.1.1: 100-continue holds in HTTP/2 too', () => {
  const headers = fields('expect: 100-continue');
  assert.equal(acceptedHead(rawHttp2Request({ endOfStream: false, headers })).expectContinue, true);
});

test('RFC 9113 section 8.5, RFC 8441: CONNECT makes no tunnel', () => {
  assert.equal(verdict(rawHttp2Request({ method: 'CONNECT', target: '' })), 'method_not_supported');
});

test('the limits of a head hold in HTTP/2, and count the authority', () => {
  const limits = { ...HEAD_LIMITS, headBytesMax: 20 };
  const raw = rawHttp2Request({ authority: 'a'.repeat(16) }); // and GET and /
  assert.equal(verdict(raw, PATH_RULES, limits), 'accepted');
  assert.equal(verdict({ ...raw, authority: 'a'.repeat(17) }, PATH_RULES, limits), 'head_too_large');
});
