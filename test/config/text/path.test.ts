import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, valueAt } from '../../../src/config/text/path.ts';

test('a value is looked up by its own keys only', () => {
  assert.equal(valueAt({ a: [{ b: 1 }] }, ['a', 0, 'b']), 1);
  assert.equal(valueAt({}, ['constructor']), undefined);
  assert.equal(valueAt('text', ['length']), undefined);
});

test('two paths have one key only if they are the same', () => {
  assert.equal(keyOf(['a', 0, 'b']), keyOf(['a', '0', 'b']));
  assert.notEqual(keyOf(['a.b']), keyOf(['a', 'b']));
  assert.notEqual(keyOf(['a', '']), keyOf(['a']));
});
