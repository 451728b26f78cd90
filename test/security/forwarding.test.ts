import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildProxyTrust,
  NO_CLAIM,
  type PeerClaim,
  resolveClientAddress,
} from '../../src/security/client_address.ts';
import { nameSet } from '../../src/security/fields.ts';
import {
  appendForwarding,
  detectLoop,
  type ForwardingFacts,
  isCertificateClaim,
  isFalseClaim,
} from '../../src/security/forwarding.ts';
import { forwardingFacts } from '../support/request_heads.ts';

const trust = buildProxyTrust({ trustedProxies: ['10.0.0.0/8'], trustedHops: 1, trustedHeaders: null });

/** What is added behind the fields that a peer sent, by name. */
function added(sent: string[], parts: Partial<ForwardingFacts>): Record<string, string> {
  const list = [...sent];
  const { claim } = resolveClientAddress(parts.peerIp ?? '203.0.113.7', trust, sent);
  appendForwarding(list, sent, forwardingFacts({ claim, ...parts }), null);
  const fields: Record<string, string> = {};
  for (let at = sent.length; at < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string;
  return fields;
}

const BALANCER = { peerIp: '10.0.0.1', tls: null, peer: { localPort: 8080, tls: null } };

test('a stranger is described by the connection alone', () => {
  assert.deepEqual(added([], {}), {
    'X-Forwarded-For': '203.0.113.7',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'a.example',
    'X-Forwarded-Port': '8443',
    Forwarded: 'for=203.0.113.7;host=a.example;proto=https',
    Via: '1.1 fairlead (c0ffee)',
    'X-Request-Id': 'request-1',
  });
  assert.equal(added([], { tls: null })['X-Forwarded-Proto'], 'http');
});

test('a stranger with a forged chain still has only its own address', () => {
  const fields = added(['X-Forwarded-For', '1.2.3.4', 'Forwarded', 'for=1.2.3.4'], {});
  assert.equal(fields['X-Forwarded-For'], '203.0.113.7');
  assert.equal(fields.Forwarded, 'for=203.0.113.7;host=a.example;proto=https');
});

test("a trusted peer's chain is extended by the peer, in one field", () => {
  const sent = ['X-Forwarded-For', '1.2.3.4', 'x-forwarded-for', '10.0.0.9', 'Forwarded', 'for=1.2.3.4'];
  const fields = added(sent, BALANCER);
  assert.equal(fields['X-Forwarded-For'], '1.2.3.4, 10.0.0.9, 10.0.0.1');
  assert.equal(fields.Forwarded, 'for=1.2.3.4, for=10.0.0.1;host=a.example;proto=http');
});

test('a Forwarded that names another client than X-Forwarded-For does not go on', () => {
  const sent = ['X-Forwarded-For', '1.2.3.4', 'Forwarded', 'for=6.6.6.6'];
  const fields = added(sent, BALANCER);
  assert.equal(fields['X-Forwarded-For'], '1.2.3.4, 10.0.0.1');
  assert(!('Forwarded' in fields));
});

test('what only Forwarded says is told in the other family too, whatever came there', () => {
  const sent = [
    'X-Forwarded-Proto',
    'http',
    'X-Forwarded-Host',
    'evil',
    'Forwarded',
    'for=1.2.3.4;proto=https;host=shop',
  ];
  const fields = added(sent, BALANCER);
  assert.equal(fields['X-Forwarded-For'], '1.2.3.4, 10.0.0.1');
  assert.equal(fields['X-Forwarded-Proto'], 'https');
  assert.equal(fields['X-Forwarded-Host'], 'shop');
  assert.equal(fields.Forwarded, 'for=1.2.3.4;proto=https;host=shop, for=10.0.0.1;host=a.example;proto=http');
});

test("a trusted peer's word on protocol, host and port stands", () => {
  const sent = ['x-forwarded-proto', 'https', 'X-Forwarded-Host', 'shop.example', 'X-Forwarded-Port', '443'];
  const fields = added(sent, BALANCER);
  for (const name of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'])
    assert(!(name in fields), name);
  assert.equal(added([], BALANCER)['X-Forwarded-Proto'], 'http', 'if it says nothing, the connection does');
});

test('Forwarded is not begun behind a peer that only knows X-Forwarded-For', () => {
  assert(
    !('Forwarded' in added(['X-Forwarded-For', '1.2.3.4'], BALANCER)),
    'it would name the peer as the client',
  );
  assert('Forwarded' in added([], BALANCER));
});

test('unknown facts about the client, such as the address of a Unix peer, are not invented', () => {
  const fields = added([], { peerIp: 'unix', host: '', peer: { localPort: 0, tls: null }, tls: null });
  assert.equal(fields['X-Forwarded-For'], 'unknown');
  assert.equal(fields.Forwarded, 'for=unknown;proto=http');
  for (const name of ['X-Forwarded-Host', 'X-Forwarded-Port']) assert(!(name in fields), name);
});

test('any claim of a stranger about the client is seen, also in the spelling that only CGI takes for the same', () => {
  const claims = [
    'X-Forwarded-Prefix',
    'x-forwarded-proto',
    'X-FORWARDED-ANYTHING',
    'X-Real-IP',
    'X_Forwarded_For',
    'x-forwarded_host',
  ];
  const trusted: PeerClaim = { ...NO_CLAIM, fields: 'all' };
  const some: PeerClaim = { ...NO_CLAIM, fields: nameSet(['x-forwarded-for']) };
  for (const name of claims) assert.equal(isFalseClaim(name, NO_CLAIM), true, name);
  for (const name of ['X-Forwarded', 'X-Requested-With', 'Y-Forwarded-For', 'x', '', 'x_team']) {
    assert.equal(isFalseClaim(name, NO_CLAIM), false, name);
  }
  for (const name of ['X-Forwarded-Prefix', 'X-Real-IP']) {
    assert.equal(isFalseClaim(name, trusted), false, name);
    assert.equal(isFalseClaim(name, some), true, name);
  }
  assert.equal(isFalseClaim('X-FORWARDED-FOR', some), false, 'the peer writes it');
  for (const name of ['X_Real_IP', 'X_Request_Id', 'x-fairlead_explain', 'X_Forwarded_For'])
    assert.equal(isFalseClaim(name, trusted), true, 'a proxy that replaces X-Real-IP passes this one');
});

test('what anybody says of the certificate of a client is seen, in any spelling', () => {
  for (const name of [
    'X-Client-Cert-Subject',
    'x-client-cert-san',
    'X-CLIENT-CERT-SHA256',
    'X_Client_Cert_Subject',
    'x-client_cert-verified',
    'X-Client-Cert',
    'Client-Cert',
    'client-cert-chain',
    'Client_Cert_Chain',
  ])
    assert.equal(isCertificateClaim(name), true, name);
  for (const name of ['X-Client-Certainty', 'Client-Certificate', 'X-Client', 'Content-Type', 'x', ''])
    assert.equal(isCertificateClaim(name), false, name);
});

test('backends are told of a certificate that was verified, and of no other', () => {
  const client = { subject: 'CN=a', alternativeNames: 'DNS:a.test', sha256: 'ab' };
  const named = (list: readonly string[]) =>
    list.flatMap((name, at) => (/^X-Client-Cert/.test(name) ? [`${name}: ${list[at + 1]}`] : []));
  const told = (tls: ForwardingFacts['peer']['tls']) => {
    const list: string[] = [];
    appendForwarding(list, [], forwardingFacts({ peer: { localPort: 1, tls } }), null);
    return named(list);
  };
  assert.deepEqual(told({ client }), [
    'X-Client-Cert-Subject: CN=a',
    'X-Client-Cert-San: DNS:a.test',
    'X-Client-Cert-Sha256: ab',
  ]);
  assert.equal(told({ client: { ...client, alternativeNames: null } }).length, 2);
  assert.deepEqual([told({ client: null }), told(null)], [[], []]);
});

test('a request that this process has forwarded before is recognised', () => {
  assert.equal(detectLoop(['Via', '1.1 edge, 2.0 fairlead (c0ffee)'], 'c0ffee'), true);
  assert.equal(detectLoop(['Via', '1.1 edge', 'via', '1.1 fairlead (c0ffee)'], 'c0ffee'), true);
});

test('a few Fairleads in a row are no loop, a circle of them is', () => {
  const chain = (hops: number) => [
    'Via',
    Array.from({ length: hops }, (_, at) => `1.1 fairlead (other${at})`).join(', '),
  ];
  assert.equal(detectLoop([], 'c0ffee'), false);
  assert.equal(detectLoop(['Via', '1.1 edge (c0ffee), 1.1 fairlead-2'], 'c0ffee'), false);
  assert.equal(detectLoop(chain(8), 'c0ffee'), false);
  assert.equal(detectLoop(chain(9), 'c0ffee'), true);
  const bare = ['Via', Array.from({ length: 9 }, () => '1.1 fairlead').join(',')];
  assert.equal(detectLoop(bare, 'c0ffee'), true, 'another proxy in the circle removes comments');
});
