import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritedDescriptor } from '../../../src/net/listen/socket_activation.ts';

const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin' };

test('a name is its place behind descriptor 3', () => {
  assert.deepEqual(
    [
      inheritedDescriptor('web', env, 42),
      inheritedDescriptor('admin', env, 42),
      inheritedDescriptor('7', {}, 1),
    ],
    [3, 4, 7],
  );
});

test('descriptors that are meant for another process, or not there, are refused with the reason', () => {
  assert.match(String(inheritedDescriptor('web', env, 43)), /not started by socket activation/);
  assert.match(String(inheritedDescriptor('other', env, 42)), /LISTEN_FDNAMES has web, admin/);
});
