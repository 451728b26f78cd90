// RFC 9112 section 3: forms of the request target, and Host (section 3.2). `null` is refused with 400.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedHead, rawRequest, verdict } from '../support/request_heads.ts';

type Row = readonly [
  method: string,
  target: string,
  host: string | null,
  sent: readonly [string, string] | null,
];

function check(rows: readonly Row[], protocol: 'HTTP/1.0' | 'HTTP/1.1' = 'HTTP/1.1'): void {
  for (const [method, target, host, sent] of rows) {
    const raw = rawRequest({ method, target, protocol, headers: host === null ? [] : ['Host', host] });
    const context = `${method} ${target} with Host ${host}`;
    if (sent === null) {
      assert.equal(verdict(raw), 'bad_request', context);
      continue;
    }
    const head = acceptedHead(raw);
    assert.deepEqual([head.target, head.authority], sent, context);
  }
}

test('RFC 9112 section 3.2.1: origin form goes to the backend byte for byte', () => {
  check([
    ['GET', '/', 'a', ['/', 'a']],
    ['GET', '/a/./b//c%2Fd/{x}|y?z=%zz&..', 'a', ['/a/./b//c%2Fd/{x}|y?z=%zz&..', 'a']],
    ['GET', '//b.example/x', 'a', ['//b.example/x', 'a']],
    ['GET', '/?', 'a', ['/?', 'a']],
    ['GET', '/http://b/', 'a', ['/http://b/', 'a']],
    ['GET', 'x', 'a', null],
    ['GET', '?x', 'a', null],
    ['GET', '', 'a', null],
    ['GET', '/a#b', 'a', null],
    ['GET', '/a b', 'a', null],
    ['GET', '/\x00', 'a', null],
  ]);
});

test('RFC 9112 section 3.2.2: the authority of an absolute form wins over Host', () => {
  check([
    ['GET', 'http://b.example/x?y', 'a', ['/x?y', 'b.example']],
    ['GET', 'HTTPS://B.example:8443/', 'a', ['/', 'B.example:8443']],
    ['GET', 'http://b.example', 'a', ['/', 'b.example']],
    ['GET', 'http://b.example?x/y', 'a', ['/?x/y', 'b.example']],
    ['GET', 'http://[::1]:80/x', 'a', ['/x', '[::1]:80']],
    ['GET', 'http://b.example/x', null, null],
    ['GET', 'http://b.example/x', 'a b', null],
    ['GET', 'http://user@b.example/x', 'a', null],
    ['GET', 'http:///x', 'a', null],
    ['GET', 'http://:80/x', 'a', null],
    ['GET', 'http:/x', 'a', null],
    ['GET', 'ftp://b.example/x', 'a', null],
    ['GET', 'javascript:alert(1)', 'a', null],
    ['GET', 'b.example:443', 'a', null],
  ]);
});

test('RFC 9112 section 3.2.4: "*" is the target of OPTIONS alone, and stays "*"', () => {
  check([
    ['OPTIONS', '*', 'a', ['*', 'a']],
    ['OPTIONS', 'http://b.example', 'a', ['*', 'b.example']],
    ['OPTIONS', 'http://b.example/', 'a', ['/', 'b.example']],
    ['OPTIONS', 'http://b.example?x', 'a', ['/?x', 'b.example']],
    ['GET', '*', 'a', null],
    ['OPTIONS', '**', 'a', null],
    ['OPTIONS', '*?x', 'a', null],
  ]);
});

test('RFC 9112 section 3.2: one valid Host in HTTP/1.1, at most one in HTTP/1.0', () => {
  check([
    ['GET', '/', null, null],
    ['GET', '/', '', ['/', '']],
    ['GET', '/', 'a:x', null],
  ]);
  check(
    [
      ['GET', '/', null, ['/', '']],
      ['GET', 'http://b.example/', null, ['/', 'b.example']],
      ['GET', '/', 'u@a', null],
    ],
    'HTTP/1.0',
  );
  for (const protocol of ['HTTP/1.0', 'HTTP/1.1'] as const) {
    for (const [one, two] of [
      ['a', 'b'],
      ['a', 'a'],
      ['', 'a'],
    ]) {
      const headers = ['Host', one ?? '', 'X', 'y', 'hOST', two ?? ''];
      assert.equal(verdict(rawRequest({ headers, protocol })), 'bad_request', `${protocol}, ${one}, ${two}`);
    }
  }
});
