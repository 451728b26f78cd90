import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyLengthFailure } from '../../src/security/limits.ts';

test('a body that announces more than the limit is refused before anything is done for it', () => {
  assert.equal(bodyLengthFailure(100, 100), null, 'exactly the limit');
  assert.deepEqual(bodyLengthFailure(101, 100), { kind: 'body_too_large', limitBytes: 100 });
});

test('a body of unknown length, or without a limit, is let pass', () => {
  assert.equal(bodyLengthFailure(null, 100), null);
  assert.equal(bodyLengthFailure(Number.MAX_SAFE_INTEGER, null), null);
});
