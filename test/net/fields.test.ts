import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf } from '../../src/net/fields.ts';

test('a field is found in any case, several are one list, and what is only similar is none', () => {
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
  assert.equal(fieldOf(headers, 'transfer-encoding'), 'gzip, chunked');
  assert.equal(fieldOf(headers, 'x-b'), null);
});
