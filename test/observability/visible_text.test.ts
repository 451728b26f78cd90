// Nothing that a stranger writes is a command to a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asciiOnly, cut, escaped, withoutControls } from '../../src/observability/visible_text.ts';

test('of a client only printable ASCII is shown as it is', () => {
  assert.equal(asciiOnly('/a?b=1 \\x1b "q"'), '/a?b=1 \\x1b "q"');
  assert.equal(asciiOnly('\x1b[31m\r\n\t\x00\x7f'), '\\x1B[31m\\x0D\\x0A\\x09\\x00\\x7F');
  assert.equal(asciiOnly('\u009b2J é 😀'), '\\xC2\\x9B2J \\xC3\\xA9 \\xF0\\x9F\\x98\\x80');
});

test('our own text may be in any language, without controls and without changes of direction', () => {
  assert.equal(withoutControls('Zürich 東京 – ok'), 'Zürich 東京 – ok');
  for (const control of [
    '\x00',
    '\x1b',
    '\n',
    '\x7f',
    '\u009b',
    '\u061c',
    '\u200f',
    '\u2028',
    '\u202e',
    '\u2066',
  ])
    assert.equal(withoutControls(`a${control}b`), `a${escaped(control)}b`);
});

test('a long text is cut, and says so', () => {
  assert.deepEqual([cut('abcd', 4), cut('abcde', 4)], ['abcd', 'abc…']);
});
