import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldValues } from '../../src/net/fields.ts';

test('a field is found in any case and with all its values, and a similar name is not taken for it', () => {
  const headers = [
    'X-A',
    '1',
    'Transfer-Encoding',
    'gzip',
    'TRANSFER-ENCODING',
    'chunked',
    'Transfer-Encodine',
    'x',
  ];
  assert.deepEqual(fieldValues(headers, 'transfer-encoding'), ['gzip', 'chunked']);
  assert.deepEqual(fieldValues(headers, 'x-b'), []);
});
