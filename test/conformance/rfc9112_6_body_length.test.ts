// RFC 9112 section 6: a message that could be framed in two ways is refused, whatever Node's parser made of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedHead, fields, rawRequest, verdict } from '../support/request_heads.ts';

const post = (...lines: string[]) => rawRequest({ method: 'POST', headers: fields('Host: a', ...lines) });

test('RFC 9112 section 6.1: Content-Length and Transfer-Encoding exclude each other', () => {
  assert.equal(verdict(post('Content-Length: 5', 'Transfer-Encoding: chunked')), 'bad_request');
  assert.equal(verdict(post('transfer-encoding: chunked', 'content-length: 0')), 'bad_request');
});

test('RFC 9112 section 6.1: chunked is the only transfer coding', () => {
  assert.equal(acceptedHead(post('Transfer-Encoding: chunked')).hasBody, true);
  assert.equal(acceptedHead(post('Transfer-Encoding: CHUNKED')).hasBody, true);
  const refused = [
    '',
    'identity',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    ', chunked',
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    "'chunked'",
    'chunked\x0b',
    '\x0bchunked',
    'chunked\0',
    'chun\tked',
  ];
  for (const value of refused) {
    const raw = rawRequest({ method: 'POST', headers: ['Host', 'a', 'Transfer-Encoding', value] });
    assert.equal(verdict(raw), 'bad_request', JSON.stringify(value));
  }
  assert.equal(verdict(post('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked')), 'bad_request');
  assert.equal(verdict(post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')), 'bad_request');
});

test('RFC 9112 section 6.1: HTTP/1.0 knows no Transfer-Encoding', () => {
  const raw = { ...post('Transfer-Encoding: chunked'), protocol: 'HTTP/1.0' } as const;
  assert.equal(verdict(raw), 'bad_request');
});

test('RFC 9112 section 6.3: Content-Length is one decimal number', () => {
  for (const [value, length] of [
    ['0', 0],
    ['5', 5],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ] as const) {
    assert.equal(acceptedHead(post(`Content-Length: ${value}`)).contentLength, length);
  }
  const refused = [
    '',
    '+5',
    '-5',
    '5, 5',
    '5,6',
    '5 5',
    '0x5',
    '5e1',
    '5.0',
    '٥',
    '5;',
    '9'.repeat(16),
    'NaN',
  ];
  for (const value of refused) {
    assert.equal(verdict(post(`Content-Length: ${value}`)), 'bad_request', JSON.stringify(value));
  }
  assert.equal(
    verdict(post('Content-Length: 5', 'content-length: 5')),
    'bad_request',
    'also when they agree',
  );
});
