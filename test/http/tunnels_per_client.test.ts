// A client has as many tunnels as it may, and another client is not charged for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TunnelsPerClient } from '../../src/http/tunnels_per_client.ts';

test('the limit holds for each client and each listener by itself, and for a whole IPv6 network', () => {
  const tunnels = new TunnelsPerClient();
  assert.notEqual(tunnels.take('a', '192.0.2.1', 1), null);
  assert.equal(tunnels.take('a', '192.0.2.1', 1), null);
  assert.notEqual(tunnels.take('a', '192.0.2.2', 1), null);
  assert.notEqual(tunnels.take('b', '192.0.2.1', 1), null);
  assert.notEqual(tunnels.take('a', '2001:db8::1', 1), null);
  assert.equal(tunnels.take('a', '2001:db8::2', 1), null);
});

test('a tunnel that has ended makes room for one, and only for one', () => {
  const tunnels = new TunnelsPerClient();
  const keys = [tunnels.take('a', '192.0.2.1', 2), tunnels.take('a', '192.0.2.1', 2)];
  assert.equal(tunnels.take('a', '192.0.2.1', 2), null);
  tunnels.giveBack(keys[0] ?? '');
  assert.notEqual(tunnels.take('a', '192.0.2.1', 2), null);
  assert.equal(tunnels.take('a', '192.0.2.1', 2), null);
});
