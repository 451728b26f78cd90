import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHeader, NameTable, nameSet, put, withoutUnderscores } from '../../src/security/fields.ts';

test('a name is found in any case, and no other name is taken for it', () => {
  const table = new NameTable([
    ['host', 1],
    ['te', 2],
    ['x-request-id', 3],
  ]);
  for (const name of ['host', 'Host', 'HOST', 'hOsT']) assert.equal(table.find(name), 1);
  assert.equal(table.find('X-Request-ID'), 3);
  for (const name of [
    '',
    'hos',
    'hosts',
    'home',
    'HEAD',
    'tE ',
    'x_request_id',
    '__proto__',
    'constructor',
  ]) {
    assert.equal(table.find(name), undefined, name);
  }
  assert.equal(table.find(`t${'e'.repeat(65)}`), undefined, 'as long as "te", modulo the size of the sieve');
});

test('a set contains its names and no others', () => {
  const set = nameSet(['via']);
  assert.equal(set.has('Via'), true);
  assert.equal(set.has('Vary'), false);
});

test('a field that came several times has one combined value', () => {
  const list = ['Accept', 'a', 'Host', 'h', 'ACCEPT', 'b', 'accept-encoding', 'c'];
  assert.equal(findHeader(list, 'accept'), 'a, b');
  assert.equal(findHeader(list, 'host'), 'h');
  assert.equal(findHeader(list, 'cookie'), null);
  assert.equal(findHeader(['X', ''], 'x'), '', 'an empty value is not a missing field');
});

test('a field that a route takes out is not put in', () => {
  const list: string[] = [];
  put(list, nameSet(['via']), 'Via', '1');
  put(list, nameSet(['via']), 'X', '2');
  put(list, null, 'Via', '3');
  assert.deepEqual(list, ['X', '2', 'Via', '3']);
});

test('fields with an underscore in their name are left out, with their values and nothing else', () => {
  const list = ['A_B', '1', 'C', 'with_underscore', '_', '2', 'D', '3'];
  assert.deepEqual(withoutUnderscores(list), ['C', 'with_underscore', 'D', '3']);
});
