// RFC 7239 sections 4 and 6, read and written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatForwarded, parseForwarded } from '../../src/security/forwarded.ts';

const shown = (text: string) =>
  parseForwarded(text)?.map(({ ip, proto, host }) => `${ip} ${proto} ${host}`) ?? null;

test('elements are read as the RFC writes them, and as proxies do', () => {
  const rows: readonly (readonly [string, string[]])[] = [
    ['for=192.0.2.60;proto=http;by=203.0.113.43', ['192.0.2.60 http null']],
    ['For="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17 null null']],
    ['for=192.0.2.43, for=198.51.100.17', ['192.0.2.43 null null', '198.51.100.17 null null']],
    ['for=_hidden, for=_SEVKISEK', ['null null null', 'null null null']],
    ['for=unknown', ['null null null']],
    ['for="192.0.2.1:_obf";proto=HTTPS;host=a.example', ['192.0.2.1 https a.example']],
    ['for=192.0.2.1; proto=https ; host="a.example:8443"', ['192.0.2.1 https a.example:8443']],
    ['for=192.0.2.1:80', ['192.0.2.1 null null']],
    ['for=[::1]:80', ['::1 null null']],
    ['for="192.0.2.\\1"', ['192.0.2.1 null null']],
    [' , for=192.0.2.1 ,, ', ['192.0.2.1 null null']],
    ['for=192.0.2.1;', ['192.0.2.1 null null']],
    ['host="a,b";for="1.2.3.4, for=5.6.7.8"', ['null null null']],
    ['proto=gopher;host="";secret=x', ['null null null']],
    ['host="user@a.example"', ['null null null']],
    ['', []],
  ];
  for (const [text, expected] of rows) assert.deepEqual(shown(text), expected, text);
});

test('what is not well formed is not read in part', () => {
  for (const text of [
    'for="192.0.2.1',
    'for="192.0.2.1, for=192.0.2.2',
    'for=192.0.2.1 for=192.0.2.2',
    'for=192.0.2.1;for=192.0.2.2',
    'for',
    'for=',
    'for =192.0.2.1',
    'for= 192.0.2.1',
    '=192.0.2.1',
    'for=a"b"',
    'for="a"b',
    'for="\x01"',
    '"for"=a',
    'for=a;;=',
    'for=@',
  ])
    assert.equal(parseForwarded(text), null, text);
});

test('a long field costs no more than its length', () => {
  for (const piece of ['for=1.2.3.4,', 'a', 'a=', '"', 'for="', '\\', ';', ' ', 'a;']) {
    const startedAtMs = performance.now();
    parseForwarded(piece.repeat(200_000 / piece.length));
    parseForwarded(`for="${piece.repeat(200_000 / piece.length)}`);
    assert.ok(performance.now() - startedAtMs < 5_000, piece);
  }
});

test('what is written is read again', () => {
  for (const [peer, host, ip, seen] of [
    ['192.0.2.1', 'a.example', '192.0.2.1', 'a.example'],
    ['2001:db8::1', '[::1]:8443', '2001:db8::1', '[::1]:8443'],
    ['unknown', "a!$&'()*+;=~", null, "a!$&'()*+;=~"],
    ['192.0.2.1', '', '192.0.2.1', null],
  ] as const) {
    const text = formatForwarded(peer, host, 'https');
    assert.deepEqual(parseForwarded(text), [{ ip, proto: 'https', host: seen }], text);
  }
});
