import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireRegex } from '../../src/routing/regex.ts';

function groups(pattern: string, text: string): (string | null)[] | null {
  const spans = requireRegex(pattern).exec(text);
  return spans === null ? null : spans.map(span => (span === null ? null : text.slice(span.from, span.to)));
}

test('groups hold what a person expects them to hold', () => {
  const cases: [pattern: string, text: string, groups: (string | null)[] | null][] = [
    ['/users/([^/]+)(/.*)?', '/users/7/x', ['/users/7/x', '7', '/x']],
    ['/users/([^/]+)(/.*)?', '/users/7', ['/users/7', '7', null]],
    ['(a)|(b)', 'b', ['b', null, 'b']],
    ['(a+)(a*)', 'aaa', ['aaa', 'aaa', '']],
    ['(a+?)(a*)', 'aaa', ['aaa', 'a', 'aa']],
    ['(?:(a)|b)*', 'ab', ['ab', 'a']],
    ['(a|b)*', 'abba', ['abba', 'a']],
    ['((a)b)', 'ab', ['ab', 'ab', 'a']],
    ['(a)', 'b', null],
    ['(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)', 'abcdefghij', ['abcdefghij', ...'abcdefghi']], // $9 is the last one
  ];
  for (const [pattern, text, expected] of cases)
    assert.deepEqual(groups(pattern, text), expected, `/${pattern}/ on "${text}"`);
});

test('groups outside repetitions hold what they hold in JavaScript', () => {
  const patterns = [
    '(a*)(b?)(.*)',
    '(.*?)/(.*)',
    '(/[^/]*)(.*)',
    '(a|ab)(c|bcd)?(d*)',
    '(.{2,3})(.{0,2}?)(.*)',
  ];
  const texts = ['', 'a', 'ab', 'abcd', 'a/b/c', '/x/y', 'aabbcc', 'abcdd', '//'];
  let matched = 0;
  for (const pattern of patterns) {
    for (const text of texts) {
      const theirs = new RegExp(`^(?:${pattern})$`, 's').exec(text);
      const expected = theirs === null ? null : [...theirs].map(group => group ?? null);
      assert.deepEqual(groups(pattern, text), expected, `/${pattern}/ on "${text}"`);
      if (theirs !== null) matched++;
    }
  }
  assert(matched > 15);
});
