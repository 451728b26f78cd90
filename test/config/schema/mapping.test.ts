import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMapping } from '../../../src/config/schema/mapping.ts';

test('a list and nothing are no mappings', () => {
  assert.deepEqual([{}, { a: 1 }, [], null, undefined, 'a', 1].map(isMapping), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
