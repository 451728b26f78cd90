// RFC 7239 section 4 and 6: each element is well formed for every address and host that can occur.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHeader } from '../../src/security/fields.ts';
import { appendForwarding } from '../../src/security/forwarding.ts';
import { forwardingFacts } from '../support/request_heads.ts';

function forwarded(peerIp: string, host: string, protocol: 'http' | 'https'): string | null {
  const list: string[] = [];
  appendForwarding(
    list,
    [],
    forwardingFacts({ peerIp, host, tls: protocol === 'https' ? 'TLSv1.3' : null }),
    null,
  );
  return findHeader(list, 'forwarded');
}

test('RFC 7239 section 6: nodes and hosts that are no tokens are quoted, IPv6 addresses bracketed', () => {
  assert.equal(forwarded('192.0.2.1', 'a.example', 'http'), 'for=192.0.2.1;host=a.example;proto=http');
  assert.equal(
    forwarded('2001:db8::1', 'a.example:8443', 'https'),
    'for="[2001:db8::1]";host="a.example:8443";proto=https',
  );
  assert.equal(forwarded('192.0.2.1', '[::1]', 'http'), 'for=192.0.2.1;host="[::1]";proto=http');
  assert.equal(forwarded('192.0.2.1', 'a,b;c=d', 'http'), 'for=192.0.2.1;host="a,b;c=d";proto=http');
  assert.equal(forwarded('unix', 'a', 'http'), 'for=unknown;host=a;proto=http', 'section 6.2');
});

test('RFC 7239 section 4: every element fits the grammar', () => {
  const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
  const pair = `${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*")`;
  const element = new RegExp(`^${pair}(?:;${pair})*$`);
  for (const peerIp of ['192.0.2.1', '2001:db8::1', 'fe80::1', 'unix', '']) {
    for (const host of ['a', 'a:1', '[::1]:1', "a!$&'()*+,;=~", '']) {
      assert.match(forwarded(peerIp, host, 'https') ?? '', element, `${peerIp} ${host}`);
    }
  }
});
