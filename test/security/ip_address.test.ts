import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOfNode, clientKey, plainAddress } from '../../src/security/ip_address.ts';

test('every way in which proxies write an address is understood, and nothing else', () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:5678', '203.0.113.7'],
    ['203.0.113.7:_port', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:cb00:7107]:9', '203.0.113.7'],
    ['203.0.113.7:', null],
    ['203.0.113.7:123456', null],
    ['203.0.113.7:a', null],
    ['[203.0.113.7]', null],
    ['[2001:db8::1', null],
    ['2001:db8::1]', null],
    ['fe80::1%eth0', null],
    ['[fe80::1%25eth0]', null],
    ['unknown', null],
    ['_hidden', null],
    ['a.example', null],
    ['203.0.113.07', null],
    ['', null],
  ];
  for (const [node, ip] of rows) assert.equal(addressOfNode(node), ip, node);
});

test('IPv4 that is mapped into IPv6 is shown plain, however it is spelt', () => {
  for (const ip of ['::ffff:10.0.0.1', '::FFFF:a00:1', '0:0:0:0:0:ffff:10.0.0.1', '0::ffff:0a00:0001'])
    assert.equal(plainAddress(ip), '10.0.0.1', ip);
  for (const ip of [
    '10.0.0.1',
    '::1',
    '::ffff:999.0.0.1',
    '2001:db8::1',
    '2001:ffff:1::',
    'unix',
    'fe80::ffff:1%e',
  ])
    assert.equal(plainAddress(ip), ip);
});

test('one client is one IPv4 address or one /64 of IPv6', () => {
  const keys: readonly (readonly [string, string])[] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['unix', 'unix'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::a:b:c:d:1.2.3.4', '0:0:a:b::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ];
  for (const [ip, key] of keys) assert.equal(clientKey(ip), key, ip);
});
