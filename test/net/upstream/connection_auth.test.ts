import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForConnectionLogin, carriesConnectionLogin } from '../../../src/net/upstream/connection_auth.ts';

test('NTLM and Negotiate speak of the connection, in any case, also among other challenges', () => {
  for (const challenge of ['NTLM', 'Negotiate YIIJ', 'Basic realm="a", NTLM', 'negotiate, Basic realm="a"'])
    assert.equal(asksForConnectionLogin(['A', 'b', 'WWW-Authenticate', challenge]), true, challenge);
  const apart = ['WWW-Authenticate', 'Basic realm="a"', 'www-authenticate', 'Negotiate'];
  assert.equal(asksForConnectionLogin(apart), true, 'in a field of its own');
  assert.equal(carriesConnectionLogin(['AUTHORIZATION', 'ntlm TlRMTVNTUAAB']), true);
});

test('every other scheme speaks of one request', () => {
  for (const credential of ['Basic bnRsbQ==', 'Bearer ntlm', 'NTLMv3 x', 'Digest username="negotiate"'])
    assert.equal(carriesConnectionLogin(['Authorization', credential]), false, credential);
  assert.equal(asksForConnectionLogin(['WWW-Authenticate', 'Basic realm="ntlm"']), false);
  assert.equal(carriesConnectionLogin(['X-Other', 'NTLM']), false);
});
