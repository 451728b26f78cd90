import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostForMatching, splitTarget, type TargetSource } from '../../src/security/authority.ts';

function split(parts: Partial<TargetSource>, host: string | null = 'a.example') {
  return splitTarget({ method: 'GET', target: '/', protocol: 'HTTP/1.1', authority: null, ...parts }, host);
}

test('a host is matched without case, port and trailing dot', () => {
  const expected: readonly (readonly [string, string])[] = [
    ['A.Example', 'a.example'],
    ['a.example:8080', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:80', 'a.example'],
    ['a.example:', 'a.example'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['[::1]', '[::1]'],
    ['', ''],
  ];
  for (const [authority, host] of expected) assert.equal(hostForMatching(authority), host);
});

test('every legal authority is let in', () => {
  const legal = [
    'a',
    'a.example',
    'A-1.example.',
    'a.example:0',
    'a.example:65535',
    'a_b.example',
    'xn--caf-dma.example',
    '127.0.0.1',
    '[::1]',
    '[::1]:80',
    '[::ffff:1.2.3.4]:80',
    "a!$&'()*+;=~",
    'a%C3%A9',
    'a:',
    '',
  ];
  for (const host of legal) assert.deepEqual(split({}, host), { target: '/', authority: host });
});

test('no malformed authority is let in', () => {
  const malformed = [
    'u@a',
    'u:p@a',
    'a b',
    ' a',
    'a ',

    'a#b',
    'a\\b',
    'a:b',
    'a:-1',
    'a:65536',
    'a:1:2',
    ':80',
    ':',
    '[::1',
    '::1',
    '[]',
    '[]:80',
    '[::1]:65536',
    '[1.2.3.4]',
    '[::1]x',
    '[fe80::1%25eth0]',
    '[::1]]',
    '[v1.x]',
    'a%zz',
    'a%',
    'é',
    'a\0',
    'a\r\nX: y',
    'a\t',
    '"a"',
    '<a>',
    'a|b',
    '{a}',
  ];
  for (const host of malformed) {
    assert.equal(split({}, host), 'The Host is malformed.', JSON.stringify(host));
    assert.equal(
      typeof split({ target: `http://${host}/` }),
      'string',
      `absolute form, ${JSON.stringify(host)}`,
    );
    assert.equal(
      typeof split({ protocol: 'HTTP/2.0', authority: host }, null),
      'string',
      `HTTP/2, ${JSON.stringify(host)}`,
    );
  }
});

test('a Host with a path or a query is none', () => {
  for (const host of ['a/b', 'a?b', 'http://a'])
    assert.equal(split({}, host), 'The Host is malformed.', host);
});

test('bytes that would split or garble a request line are refused', () => {
  for (const target of ['/ ', '/\t', '/\r\n', '/\0', '/\x7f', '/a#b', '/\u0100', '']) {
    assert.equal(typeof split({ target }), 'string', JSON.stringify(target));
  }
  const odd = '/\x80\xff"<>\\^`{|}';
  assert.deepEqual(
    split({ target: odd }),
    { target: odd, authority: 'a.example' },
    'ugly, but seen and harmless',
  );
});

test('two hosts combined into one field are refused, in any form of the target', () => {
  for (const combined of [
    'a,b',
    'a.example,b.example',
    'a.example,',
    ',a.example',
    'a.example:80,b.example',
  ]) {
    assert.equal(split({}, combined), 'The Host is malformed.', combined);
    const http2 = { protocol: 'HTTP/2.0', authority: combined } as const;
    assert.equal(split(http2, null), 'The :authority is missing or malformed.', combined);
    assert.equal(split({ target: `http://${combined}/` }), 'The request target is malformed.', combined);
  }
});
