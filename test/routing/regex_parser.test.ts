import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegex } from '../../src/routing/regex.ts';
import { parseRegex, RegexSyntaxError } from '../../src/routing/regex_parser.ts';

test('what the engine cannot do is refused with a reason, not misunderstood', () => {
  const refused: [pattern: string, reason: RegExp][] = [
    ['(a)\\1', /back references/],
    ['(?=a)', /look-around/],
    ['(?<name>a)', /named groups/],
    ['(?i)a', /flags/],
    ['a(b', /missing "\)"/],
    ['a)b', /unmatched "\)"/],
    ['[abc', /ends too early/],
    ['[]', /empty \[\]/],
    ['[^]', /empty \[\]/],
    ['[z-a]', /backwards/],
    ['[a-\\d]', /character at both ends/],
    ['*a', /nothing before/],
    ['a|+b', /nothing before/],
    ['{2}', /nothing before/],
    ['a**', /needs a group/],
    ['a{2}{3}', /needs a group/],
    ['a{3,2}', /backwards/],
    ['a{1001}', /limited to 1000/],
    ['a{0,99999}', /limited to 1000/],
    ['a{999999}', /"\{" begins a repetition/],
    ['/{id}', /"\{" begins a repetition/],
    ['a^b', /in the middle/],
    ['a$b', /in the middle/],
    ['\\b', /unknown escape/],
    ['a\\', /ends too early/],
  ];
  for (const [pattern, reason] of refused) {
    const result = compileRegex(pattern);
    assert.equal(typeof result, 'string', `/${pattern}/ is refused`);
    assert.match(String(result), reason, pattern);
    assert.throws(() => parseRegex(pattern), RegexSyntaxError);
  }
});

test('the anchors may be written and say nothing', () => {
  assert.deepEqual(parseRegex('^ab$'), parseRegex('ab'));
  assert.deepEqual(
    parseRegex('a\\\\$'),
    parseRegex('a\\\\'),
    'the backslash is escaped, the dollar is an anchor',
  );
  assert.notDeepEqual(parseRegex('a\\$'), parseRegex('a'), 'this dollar is a character');
});

test('groups are counted as they open; (?:...) is none', () => {
  assert.equal(parseRegex('(a(b))(?:c)(d)').groups, 3);
});
