import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Row, renderTable, wrap } from '../../src/admin/text_table.ts';
import { painter } from '../../src/observability/terminal.ts';

test('columns are as wide as their widest cell, and a line that is too long says that it was cut', () => {
  const rows: Row[] = [
    { cells: ['a', 'long cell'], style: 'red' },
    { cells: ['much longer', 'b'], style: null },
  ];
  assert.deepEqual(renderTable(['x', 'y'], rows, 80, painter(false)), [
    'x            y',
    'a            long cell',
    'much longer  b',
  ]);
  assert.deepEqual(renderTable(['x', 'y'], rows, 15, painter(false))[1], 'a            l…');
  assert.equal(renderTable(['x', 'y'], rows, 80, painter(true))[1], '\x1b[31ma            long cell\x1b[39m');
});

test('what would be a command for the terminal is shown as what it is', () => {
  const hostile = 'tls_failed \x1b]0;x\x07 \x9b2J \u202e';
  const shown = 'tls_failed \\x1B]0;x\\x07 \\xC2\\x9B2J \\xE2\\x80\\xAE';
  assert.deepEqual(wrap(hostile, 80, 2), [shown]);
  assert.deepEqual(renderTable(['x'], [{ cells: [hostile], style: null }], 80, painter(true)), ['x', shown]);
});

test('a sentence is broken between words, and no line is wider than the terminal', () => {
  assert.deepEqual(wrap('error  one two three four', 15, 7), [
    'error  one two',
    '       three',
    '       four',
  ]);
  assert.deepEqual(wrap('  key  one two', 11, 7), ['  key  one', '       two']);
  assert.deepEqual(wrap('one two', Number.POSITIVE_INFINITY, 2), ['one two']);
  for (const width of [1, 2, 7, 30])
    for (const line of wrap('error  averyveryverylongword and some short ones', width, 9))
      assert.ok(line.length <= width, `${width}: ${line}`);
});
