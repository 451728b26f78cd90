import assert from 'node:assert/strict';
import { test } from 'node:test';
import { naturalOrder } from '../../src/admin/natural_order.ts';

test('numbers in names are read as numbers, and every order is the same order', () => {
  const names = ['api-10', 'api-2', 'API-1', 'api-1', '10.0.0.10:80', '10.0.0.9:80', 'api', 'api-02'];
  const sorted = ['10.0.0.9:80', '10.0.0.10:80', 'api', 'API-1', 'api-1', 'api-02', 'api-2', 'api-10'];
  assert.deepEqual(names.toSorted(naturalOrder), sorted);
  assert.deepEqual(names.toReversed().toSorted(naturalOrder), sorted);
});
