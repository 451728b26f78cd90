import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, paint, RED, renderTable, wrap } from '../../src/admin/text_table.ts';

test('columns are as wide as their widest cell, and a line that is too long says that it was cut', () => {
  const rows = [
    { cells: ['a', 'long cell'], color: RED },
    { cells: ['much longer', 'b'], color: null },
  ];
  assert.deepEqual(renderTable(['x', 'y'], rows, 80, false), [
    'x            y',
    'a            long cell',
    'much longer  b',
  ]);
  assert.deepEqual(renderTable(['x', 'y'], rows, 15, false)[1], 'a            l…');
  assert.equal(renderTable(['x', 'y'], rows, 80, true)[1], '\x1b[31ma            long cell\x1b[0m');
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

test('colour is only where it is wanted', () => {
  assert.equal(paint('x', RED, false), 'x');
  assert.equal(paint('x', null, true), 'x');
  assert.equal(cut('abc', 3), 'abc');
});
