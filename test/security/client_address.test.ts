import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildNetworkSet,
  cidrProblem,
  clientKey,
  plainAddress,
  resolveClientAddress,
} from '../../src/security/client_address.ts';

const TRUSTED = buildNetworkSet(['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);

function client(peer: string, ...chain: string[]): string {
  return resolveClientAddress(
    peer,
    TRUSTED,
    chain.flatMap(value => ['X-Forwarded-For', value]),
  ).clientIp;
}

test('a network holds its addresses and no others', () => {
  const networks = buildNetworkSet(['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '2001:db8::1']);
  for (const ip of ['10.0.0.0', '10.255.255.255', '192.0.2.1', 'fd12::1', '2001:db8::1', '2001:DB8:0::1']) {
    assert.equal(networks.contains(ip), true, ip);
  }
  for (const ip of [
    '9.255.255.255',
    '11.0.0.0',
    '192.0.2.2',
    'fe00::1',
    '2001:db8::2',
    'unix',
    '',
    'x',
    '10.0.0',
  ]) {
    assert.equal(networks.contains(ip), false, ip);
  }
});

test('an IPv4 network holds its addresses mapped into IPv6', () => {
  for (const ip of ['::ffff:10.0.0.1', '::FFFF:a00:1']) assert.equal(TRUSTED.contains(ip), true, ip);
});

test('a list can contain all networks, or none', () => {
  assert.equal(buildNetworkSet(['0.0.0.0/0']).contains('203.0.113.7'), true);
  assert.equal(buildNetworkSet(['::/0']).contains('2001:db8::1'), true);
  const nobody = buildNetworkSet([]);
  assert.equal(nobody.empty, true);
  assert.equal(nobody.contains('10.0.0.1'), false);
});

test('peers on a Unix socket can be trusted by name', () => {
  const networks = buildNetworkSet(['unix']);
  assert.equal(networks.contains('unix'), true);
  assert.equal(networks.contains('10.0.0.1'), false);
  for (const peer of ['unix', '']) {
    const found = resolveClientAddress(peer, networks, ['X-Forwarded-For', '203.0.113.7']);
    assert.deepEqual(found, { clientIp: '203.0.113.7', peerTrusted: true });
    assert.deepEqual(resolveClientAddress(peer, TRUSTED, []), { clientIp: 'unix', peerTrusted: false });
  }
});

test('a network that is none is refused with the reason', () => {
  for (const text of ['10.0.0.0/8', '10.0.0.1', '::/0', 'fd00::/128', '0.0.0.0/0', 'unix']) {
    assert.equal(cidrProblem(text), null, text);
  }
  for (const text of ['', '10.0.0', 'a.example', '10.0.0.0/8/8', '/8', 'fe80::1%eth0', 'Unix']) {
    assert.match(cidrProblem(text) ?? '', /expected an address/, text);
  }
  for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/x']) {
    assert.match(cidrProblem(text) ?? '', /prefix length/, text);
  }
});

test('a stranger is believed nothing', () => {
  const found = resolveClientAddress('203.0.113.7', TRUSTED, ['X-Forwarded-For', '1.2.3.4']);
  assert.deepEqual(found, { clientIp: '203.0.113.7', peerTrusted: false });
  const empty = buildNetworkSet([]);
  assert.equal(resolveClientAddress('10.0.0.1', empty, ['X-Forwarded-For', '1.2.3.4']).clientIp, '10.0.0.1');
});

test('the client is the first stranger from the right', () => {
  assert.equal(client('10.0.0.1', '203.0.113.7'), '203.0.113.7');
  assert.equal(client('10.0.0.1', '6.6.6.6, 203.0.113.7, 10.9.9.9,192.0.2.1'), '203.0.113.7');
  assert.equal(client('10.0.0.1', '6.6.6.6', '203.0.113.7'), '203.0.113.7', 'several fields are one list');
  assert.equal(client('fd00::1', '2001:db8::7'), '2001:db8::7');
});

test('if every address of the chain is trusted, the client is the first of them', () => {
  assert.equal(client('10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
  assert.equal(client('10.0.0.1'), '10.0.0.1');
});

test('ports and brackets of load balancers are understood', () => {
  assert.equal(client('10.0.0.1', '203.0.113.7:4711'), '203.0.113.7', 'Azure Application Gateway');
  assert.equal(client('10.0.0.1', '[2001:db8::7]:4711'), '2001:db8::7');
  assert.equal(client('10.0.0.1', '[2001:db8::7]'), '2001:db8::7');
  assert.equal(client('10.0.0.1', '::ffff:203.0.113.7'), '203.0.113.7');
  assert.equal(
    client('10.0.0.1', ' 203.0.113.7 , ,'),
    '203.0.113.7',
    'RFC 9110 section 5.6.1: empty elements',
  );
});

test('garbage ends the walk at the last good address', () => {
  for (const garbage of [
    'unknown',
    '1.2.3',
    '1.2.3.4:x',
    '[::1',
    '[1.2.3.4',
    'fe80::1%eth0',
    '[fe80::1%25eth0]',
    '1.2.3.4 5.6.7.8',
  ]) {
    assert.equal(client('10.0.0.1', `6.6.6.6, ${garbage}, 10.0.0.2`), '10.0.0.2', garbage);
    assert.equal(client('10.0.0.1', garbage), '10.0.0.1', garbage);
  }
});

test('a chain is walked 32 hops far', () => {
  const hops = (count: number) => Array.from({ length: count }, (_, at) => `10.1.0.${at}`).join(', ');
  assert.equal(client('10.0.0.1', `203.0.113.7, ${hops(31)}`), '203.0.113.7');
  assert.equal(client('10.0.0.1', `203.0.113.7, ${hops(32)}`), '10.1.0.0');
});

test('IPv4 that a socket shows mapped into IPv6 is shown plain', () => {
  assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
  for (const ip of ['10.0.0.1', '::1', '::ffff:999.0.0.1', '2001:db8::1', 'unix'])
    assert.equal(plainAddress(ip), ip);
});

test('one client is one IPv4 address or one /64 of IPv6', () => {
  const keys: readonly (readonly [string, string])[] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
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
