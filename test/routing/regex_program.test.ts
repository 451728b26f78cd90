import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegex, requireRegex } from '../../src/routing/regex.ts';
import { PROGRAM_LENGTH_MAX } from '../../src/routing/regex_program.ts';

test('a short pattern cannot become a huge program', () => {
  for (const pattern of ['(a{1000}){1000}', 'a{1000}a{1000}', '((((a{9}){9}){9}){9}){9}', '(a|b){1000}']) {
    assert.match(String(compileRegex(pattern)), /repeats too much/, pattern);
  }
  const { program } = requireRegex('[^/]{1,255}');
  assert(program.length < PROGRAM_LENGTH_MAX);
});

test('nothing, repeated a billion times, is compiled at once', () => {
  assert.equal(requireRegex(`${'(?:'.repeat(9)}${'){1000}'.repeat(9)}`).matches(''), true);
  assert.equal(requireRegex('(?:(?:x{0}){1000}){1000}a').matches('a'), true);
});

test('a repetition counts exactly, at its edges', () => {
  for (const [pattern, least, most] of [
    ['a{3}', 3, 3],
    ['a{0,2}', 0, 2],
    ['a{2,4}?', 2, 4],
    ['(?:a{2}){1,2}', 2, 4],
  ] as const) {
    const regex = requireRegex(pattern);
    const lengths = Array.from({ length: 7 }, (_, length) => length).filter(length =>
      regex.matches('a'.repeat(length)),
    );
    assert.equal(Math.min(...lengths), least, pattern);
    assert.equal(Math.max(...lengths), most, pattern);
  }
});
