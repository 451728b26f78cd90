import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from '../../src/config/nearest.ts';

test('a slip of the finger finds the word that was meant', () => {
  const words = ['pool', 'protocol', 'endpoints', 'health'];
  assert.equal(nearest('poool', words), 'pool');
  assert.equal(nearest('Protocoll', words), 'protocol');
  assert.equal(nearest('enpdoints', words), 'endpoints');
  assert.equal(didYouMean('poool', words), 'did you mean "pool"?');
});

test('a long word may have more slips than a short one', () => {
  assert.equal(nearest('circutBraeker', ['circuitBreaker']), 'circuitBreaker');
  assert.equal(nearest('abcd', ['bcde', 'wxyz']), 'bcde');
  assert.equal(nearest('abcd', ['cdab', 'badc']), undefined);
});

test('a word that is like none gets no suggestion, nor does a very long one', () => {
  assert.equal(nearest('colour', ['pool', 'health']), undefined);
  assert.equal(nearest('a', ['b']), undefined);
  assert.equal(nearest('x'.repeat(100), [`${'x'.repeat(100)}y`]), undefined);
  assert.equal(didYouMean('colour', []), undefined);
});

test('of several the nearest is suggested', () => {
  assert.equal(nearest('request', ['requests', 'reset']), 'requests');
});
