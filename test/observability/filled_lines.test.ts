import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill } from '../../src/observability/filled_lines.ts';

test('a line takes as many words as fit, and a longer word has a line of its own', () => {
  assert.deepEqual(fill(['ab', 'cd', 'ef'], 5), ['ab cd', 'ef']);
  assert.deepEqual(fill(['ab', 'cd', 'ef'], 4), ['ab', 'cd', 'ef']);
  assert.deepEqual(fill(['ab', 'much-longer', 'cd'], 5), ['ab', 'much-longer', 'cd']);
  assert.deepEqual(fill(['ab', 'cd', 'ef', 'gh'], 8, 5), ['ab cd', 'ef gh'], 'the first line is shorter');
  assert.deepEqual(fill([], 5), ['']);
});
