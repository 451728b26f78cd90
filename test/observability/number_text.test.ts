import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, countedVerb, measured } from '../../src/observability/number_text.ts';

test('one thing is in the singular, and none or several are in the plural', () => {
  assert.deepEqual(
    [counted(0, 'request'), counted(1, 'request'), counted(2, 'request'), counted(2, 'address')],
    ['0 requests', '1 request', '2 requests', '2 addresses'],
  );
  assert.deepEqual(
    [countedVerb(1, 'line', 'was'), countedVerb(2, 'line', 'was'), countedVerb(0, 'line', 'is')],
    ['1 line was', '2 lines were', '0 lines are'],
  );
});

test('a measured duration keeps its significant digits', () => {
  assert.deepEqual([0, 0.04, 9.94, 10.4, 999, 1_000, 12_400, 59_990, 90_000].map(measured), [
    '0.0 ms',
    '0.0 ms',
    '9.9 ms',
    '10 ms',
    '999 ms',
    '1.00 s',
    '12.40 s',
    '59.99 s',
    '1.5 min',
  ]);
});
