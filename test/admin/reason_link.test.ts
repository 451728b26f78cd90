import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonLink } from '../../src/admin/reason_link.ts';

test('a reason leads to its page, and what is none stays within the path', () => {
  assert.equal(reasonLink('tls_failed'), '/reasons/tls_failed');
  assert.equal(reasonLink('a/../"b'), '/reasons/a%2F..%2F%22b');
});
