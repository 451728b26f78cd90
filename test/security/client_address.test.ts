import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildNetworkSet,
  buildProxyTrust,
  type ClientAddress,
  cidrProblem,
  NO_CLAIM,
  resolveClientAddress,
} from '../../src/security/client_address.ts';
import { fields } from '../support/request_heads.ts';

const NETWORKS = ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'];
const trust = (trustedProxies: string[], trustedHops = 1, trustedHeaders: string[] | null = null) =>
  buildProxyTrust({ trustedProxies, trustedHops, trustedHeaders });
const TRUSTED = trust(NETWORKS);

function client(peer: string, ...chain: string[]): string {
  return resolveClientAddress(
    peer,
    TRUSTED,
    chain.flatMap(value => ['X-Forwarded-For', value]),
  ).clientIp;
}

function stranger(clientIp: string): ClientAddress {
  return { clientIp, peerTrusted: false, source: 'connection', claim: NO_CLAIM, malformed: false };
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
  for (const ip of ['::ffff:10.0.0.1', '::FFFF:a00:1']) assert.equal(TRUSTED.networks.contains(ip), true, ip);
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
    const found = resolveClientAddress(peer, trust(['unix']), ['X-Forwarded-For', '203.0.113.7']);
    assert.deepEqual([found.clientIp, found.peerTrusted], ['203.0.113.7', true]);
    assert.deepEqual(resolveClientAddress(peer, TRUSTED, []), stranger('unix'));
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
  assert.deepEqual(found, stranger('203.0.113.7'));
  const forwarded = resolveClientAddress('203.0.113.7', TRUSTED, ['Forwarded', 'for=1.2.3.4']);
  assert.deepEqual(forwarded, stranger('203.0.113.7'));
  const empty = trust([]);
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
    '[1.2.3.4]',
    '010.0.0.1',
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

test('a balancer that writes its own address behind that of its client has two hops', () => {
  const google = trust(['35.191.0.0/16'], 2);
  const client = (chain: string) =>
    resolveClientAddress('35.191.0.9', google, ['X-Forwarded-For', chain]).clientIp;
  assert.equal(client('203.0.113.7, 34.1.2.3'), '203.0.113.7');
  assert.equal(
    client('6.6.6.6,203.0.113.7, 34.1.2.3'),
    '203.0.113.7',
    'what its client wrote is left of both',
  );
  assert.equal(client('203.0.113.7:5678, 34.1.2.3'), '203.0.113.7');
  for (const short of ['34.1.2.3', '203.0.113.7, garbage', ''])
    assert.equal(client(short), '35.191.0.9', `"${short}" was not written by that balancer`);
  assert.equal(client('6.6.6.6, garbage, 34.1.2.3'), '35.191.0.9');
});

test('a field that the balancer does not write is not believed', () => {
  const alb = trust(NETWORKS, 1, ['x-forwarded-for', 'x-forwarded-proto']);
  const only = resolveClientAddress('10.0.0.1', alb, fields('Forwarded: for=6.6.6.6;host=evil'));
  assert.deepEqual([only.clientIp, only.claim.forwarded, only.claim.host], ['10.0.0.1', false, null]);
  const bytes = trust(NETWORKS, 1, []);
  const found = resolveClientAddress('10.0.0.1', bytes, fields('X-Forwarded-For: 6.6.6.6'));
  assert.deepEqual([found.clientIp, found.peerTrusted, found.claim.chain], ['10.0.0.1', true, null]);
});

test('Forwarded names the client where X-Forwarded-For does not, and what it says stands for the other family', () => {
  const found = resolveClientAddress(
    '10.0.0.1',
    TRUSTED,
    fields(
      'X-Forwarded-Proto: http',
      'Forwarded: for=6.6.6.6;proto=http;host=evil',
      'Forwarded: for="[2001:db8::7]:4711";proto=https;host="shop.example:8443", for=10.9.9.9;proto=http',
    ),
  );
  assert.deepEqual(found, {
    clientIp: '2001:db8::7',
    peerTrusted: true,
    source: 'Forwarded',
    claim: {
      fields: 'none',
      chain: '6.6.6.6, 2001:db8::7, 10.9.9.9',
      forwarded: true,
      proto: 'https',
      host: 'shop.example:8443',
    },
    malformed: false,
  });
});

test('a proxy that hides its client, or does not know it, ends the walk', () => {
  for (const hidden of ['unknown', '_hidden', '"unknown:80"', '"_a:_b"', 'not.an.address']) {
    const headers = fields(`Forwarded: for=6.6.6.6, for=${hidden};proto=https, for=10.0.0.2`);
    const found = resolveClientAddress('10.0.0.1', TRUSTED, headers);
    assert.deepEqual([found.clientIp, found.claim.proto], ['10.0.0.2', 'https'], hidden);
  }
});

test('a Forwarded that cannot be read is a request of nobody', () => {
  for (const broken of ['for="6.6.6.6, for=203.0.113.7', 'for=a b', 'for', 'for=1.2.3.4;for=5.6.7.8', '=']) {
    assert.equal(resolveClientAddress('10.0.0.1', TRUSTED, ['Forwarded', broken]).malformed, true, broken);
    const both = ['X-Forwarded-For', '203.0.113.7', 'Forwarded', broken];
    const found = resolveClientAddress('10.0.0.1', TRUSTED, both);
    assert.deepEqual(
      [found.malformed, found.clientIp, found.claim.forwarded],
      [false, '203.0.113.7', false],
      'beside the other family it is only left out',
    );
  }
});

test('beside X-Forwarded-For, Forwarded goes on only if it says the same', () => {
  const others = ['Host: a.example', 'X-Forwarded-For: 6.6.6.6, 203.0.113.7', 'X-Forwarded-Proto: https'];
  const passes = (forwarded: string, ...more: string[]) =>
    resolveClientAddress('10.0.0.1', TRUSTED, fields(...others, ...more, `Forwarded: ${forwarded}`)).claim
      .forwarded;
  for (const same of [
    'for=6.6.6.6, for=203.0.113.7;proto=https;host=A.example',
    'for=203.0.113.7',
    'for="203.0.113.7:80";proto=HTTPS',
    'for=203.0.113.7;proto=https, for=10.1.1.1;proto=http',
  ])
    assert.equal(passes(same), true, same);
  for (const other of [
    'for=6.6.6.6',
    'for=203.0.113.7;proto=http',
    'for=203.0.113.7;host=evil.example',
    'proto=https',
    '',
  ])
    assert.equal(passes(other), false, other);
  assert.equal(passes('for=203.0.113.7;host=shop.example', 'X-Forwarded-Host: shop.example'), true);
  assert.equal(
    resolveClientAddress(
      '10.0.0.1',
      TRUSTED,
      fields('X-Forwarded-For: 203.0.113.7', 'Forwarded: for=203.0.113.7;proto=https'),
    ).claim.forwarded,
    false,
    'a proto that nobody else speaks of',
  );
});
