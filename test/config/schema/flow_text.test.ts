import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { flow, hostPortOf, isName } from '../../../src/config/schema/flow_text.ts';

test('what is shown can be copied: YAML reads the same value from it', () => {
  const values = [
    'a',
    'a:80',
    '[::1]:80',
    ':80',
    '*.a',
    '{path}',
    '/a/b',
    '80',
    'true',
    'null',
    '',
    'a: b',
    'a #b',
    '1.5',
    '30s',
    'https://a/b',
    "it's",
    'a"b',
    '-',
    '@a',
    ['a', 'b:1'],
    { a: 'b', 'x y': ['1'] },
    {},
    [],
    5,
    true,
  ];
  for (const value of values) assert.deepEqual(load(`[${flow(value)}]`), [value], flow(value));
});

test('long values are not repeated', () => {
  assert.equal(flow('x'.repeat(200)), '...');
});

test('the address in a URL', () => {
  assert.equal(hostPortOf('http://h:80/x?y'), 'h:80');
  assert.equal(hostPortOf('https://h'), 'h:443');
  assert.equal(hostPortOf(':80'), '127.0.0.1:80');
  assert.equal(hostPortOf(8080), '127.0.0.1:8080');
  for (const none of ['h', '', 'a b', null, -1, 70_000, 'x'.repeat(300)])
    assert.equal(hostPortOf(none), null);
});

test('a name is a word', () => {
  assert.ok(isName('app-1'));
  for (const other of ['a.b', 'a:80', '', 5, '80']) assert.ok(!isName(other), String(other));
});
