import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authenticatesConnection } from '../../src/net/connection_auth.ts';

test('NTLM and Negotiate speak of the connection, as a challenge, a credential, or among other challenges', () => {
  for (const [name, text] of [
    ['WWW-Authenticate', 'NTLM'],
    ['www-authenticate', 'Negotiate YIIJ'],
    ['WWW-Authenticate', 'Basic realm="a", NTLM'],
    ['WWW-Authenticate', 'negotiate, Basic realm="a"'],
    ['AUTHORIZATION', 'ntlm TlRMTVNTUAAB'],
  ] as const)
    assert.equal(authenticatesConnection(['A', 'b', name, text]), true, `${name}: ${text}`);
});

test('every other scheme speaks of one request', () => {
  for (const [name, text] of [
    ['Authorization', 'Basic bnRsbQ=='],
    ['Authorization', 'Bearer ntlm'],
    ['WWW-Authenticate', 'Basic realm="ntlm"'],
    ['WWW-Authenticate', 'NTLMv3'],
    ['X-Other', 'NTLM'],
  ] as const)
    assert.equal(authenticatesConnection([name, text]), false, `${name}: ${text}`);
});
