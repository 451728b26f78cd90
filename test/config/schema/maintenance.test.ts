import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maintenance, PAGE_BYTES_MAX } from '../../../src/config/schema/maintenance.ts';
import { assertOnly, loadedFrom } from '../config_text.ts';

test('on is an empty block, off is none', () => {
  const schema = maintenance('What it is for.');
  assert.deepEqual(
    [schema.parse('on'), schema.parse('off'), schema.parse(undefined)],
    [{}, undefined, undefined],
  );
});

test('a body and a status have their bounds', () => {
  const text = (length: number) => `{ body: "${'é'.repeat(length / 2)}" }`;
  loadedFrom({ top: `maintenance: ${text(PAGE_BYTES_MAX)}` });
  assertOnly(
    { top: `maintenance: ${text(PAGE_BYTES_MAX + 2)}` },
    /^maintenance\.body: a body can have at most 256 KiB$/,
  );
  assertOnly(
    { top: 'maintenance: { status: 200 }' },
    /^maintenance\.status: 200 is too small; it must be from 400 to 599$/,
  );
  assertOnly({ top: 'maintenance: { retryAfter: off }' }, /cannot be switched off/);
  assertOnly({ top: 'maintenance: yes' }, /^maintenance: expected on, off or a mapping|expected on or off/);
});
