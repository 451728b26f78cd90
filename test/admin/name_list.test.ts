/** Lists of names in a sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listText, unknownName } from '../../src/admin/name_list.ts';

test('a long list ends with how many more there are', () => {
  assert.equal(listText(['a', 'b', 'c'], 2), 'a, b and 1 more');
  assert.equal(listText(['a', 'b'], 2), 'a, b');
  assert.equal(listText(['a', 'b'], 10, 7), 'a, b and 5 more');
  assert.match(listText(Array.from({ length: 11 }, (_, at) => `n${at}`)), /^n0, .*n9 and 1 more$/);
});

test('an unknown name comes with the one that was meant and the known ones, of which there may be many', () => {
  assert.equal(unknownName('ap', ['app', 'web'], 'clusters'), 'ap (did you mean "app"?); clusters: app, web');
  assert.equal(unknownName('other', ['app'], 'clusters'), 'other; clusters: app');
  const many = Array.from({ length: 21 }, (_, at) => `n${at}`);
  assert.match(unknownName('x', many, 'endpoints'), /^x; endpoints: n0, .*n19 and 1 more$/);
});
