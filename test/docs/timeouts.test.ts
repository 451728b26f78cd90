// docs/timeouts.md has the defaults that hold.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NUMBERS, type NumberId } from '../../src/config/schema/defaults.ts';
import { formatDuration } from '../../src/config/units.ts';
import { FAILURE_RULES } from '../../src/resilience/failure.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const rows = readFileSync(join(ROOT, 'docs/timeouts.md'), 'utf8')
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()));

test('each timeout has the default of the table, at a place that exists', () => {
  assert.ok(rows.length > 8);
  for (const [, name, , , place = '', shown] of rows) {
    const id = /[\w.]+$/.exec(place.replaceAll('`', ''))?.[0] as NumberId;
    assert.ok(id in NUMBERS, `${name}: ${id}`);
    const { value } = NUMBERS[id];
    assert.equal(shown, value === null ? 'off' : formatDuration(value), `${name}`);
  }
});

test('each failure that a row names is in the table', () => {
  for (const [, name, , , , , failure = ''] of rows) {
    const kinds = failure.match(/\w+_timeout/g) ?? [];
    for (const kind of kinds) assert.ok(kind in FAILURE_RULES, `${name}: ${kind}`);
    assert.ok(kinds.length > 0 || failure.startsWith('none'), `${name}`);
  }
});
