import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handshakeProblem } from '../../../src/http/tunnel/websocket_handshake.ts';

// The key and what it must be answered with: RFC 6455 section 1.3.
const ASKED = [
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Extensions',
  'permessage-deflate; a',
];
const SWITCHED = ['Upgrade', 'WebSocket', 'Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='];

test('the handshake of RFC 6455 is accepted, also with an extension that was offered', () => {
  assert.equal(handshakeProblem(ASKED, SWITCHED), null);
  const extended = [...SWITCHED, 'Sec-WebSocket-Extensions', 'Permessage-Deflate; b=1'];
  assert.equal(handshakeProblem(ASKED, extended), null);
});

test('two subprotocols in the response are not a valid choice', () => {
  const offered = [...ASKED, 'Sec-WebSocket-Protocol', 'chat, log'];
  const both = [...SWITCHED, 'Sec-WebSocket-Protocol', 'chat', 'Sec-WebSocket-Protocol', 'log'];
  assert.match(handshakeProblem(offered, both) ?? '', /"chat, log" was not offered/);
});

test('a client without a key gets what the backend says: there is nothing to prove', () => {
  assert.equal(handshakeProblem([], ['Upgrade', 'websocket']), null);
});
