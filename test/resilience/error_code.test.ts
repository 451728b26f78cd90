import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCode } from '../../src/resilience/error_code.ts';

test('an error is described by its code, and by its message if it has none', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:80'), { code: 'ECONNREFUSED' });
  assert.equal(errorCode(refused), 'ECONNREFUSED', 'no address of a backend');
  assert.equal(errorCode(new Error('the answer is no number')), 'the answer is no number');
  assert.equal(errorCode('thrown as a text'), 'thrown as a text');
});
