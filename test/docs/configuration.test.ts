// docs/configuration.md is what the schema says today.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderReference } from '../../scripts/reference.ts';
import { schemaJson } from '../../src/config/json_schema.ts';
import { NUMBERS } from '../../src/config/schema/defaults.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const reference = renderReference(schemaJson());

test('the reference is current; node scripts/reference.ts writes it anew', () => {
  assert.equal(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8'), reference);
});

test('every setting of the table of defaults that can be written has its row and its reason', () => {
  for (const [id, { why }] of Object.entries(NUMBERS)) {
    if (id.startsWith('listeners.http2.windows')) continue; // cannot be written
    assert.ok(reference.includes(why.replace(/\|/g, '\\|')), id);
  }
});
