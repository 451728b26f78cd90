import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, nameOf, parseAddress } from '../../src/net/address.ts';

test('every form of an address is read and written back', () => {
  for (const text of [
    '127.0.0.1:80',
    '[::1]:8443',
    'backend.local:8080',
    'unix:/run/x.sock',
    'fd:web',
    '0.0.0.0:0',
  ]) {
    const address = parseAddress(text);
    assert(typeof address !== 'string', text);
    assert.equal(formatAddress(address), text);
  }
});

test('a text that is not an address is refused with the reason', () => {
  for (const text of [
    '',
    '127.0.0.1',
    ':80',
    '[::1]',
    '::1:80',
    'a b:80',
    'host:99999',
    'http://a:80',
    'unix:',
    'fd:',
    `unix:/${'x'.repeat(107)}`,
  ]) {
    assert.equal(typeof parseAddress(text), 'string', text);
  }
});

test('an IP address, a path and this machine are no names to look up', () => {
  const names = [
    '10.0.0.1:80',
    '[::1]:80',
    'unix:/x',
    'localhost:80',
    'api.localhost:80',
    'LOCALHOST.:80',
    'backend:80',
  ];
  assert.deepEqual(
    names.filter(text => {
      const address = parseAddress(text);
      return typeof address !== 'string' && nameOf(address) !== null;
    }),
    ['backend:80'],
  );
});
