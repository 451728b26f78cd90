import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireRegex } from '../../src/routing/regex.ts';
import { canBothMatch } from '../../src/routing/regex_overlap.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.SEED ?? 5);

test('two expressions overlap exactly if some text matches both', () => {
  const cases: [a: string, b: string, overlap: boolean][] = [
    ['/a/[0-9]+', '/a/[a-z]+', false],
    ['/a/[0-9]+', '/a/[0-9a-f]+', true],
    ['.*\\.png', '/img/.*', true],
    ['.*\\.png', '.*\\.jpg', false],
    ['a*', 'b*', true], // the empty text
    ['a+', 'b+', false],
    ['(aa)*', 'a(aa)*', false],
    ['(aa)+', '(aaa)+', true],
    ['[^a]', 'a', false],
    ['.{5}', '.{6,}', false],
  ];
  for (const [a, b, overlap] of cases) {
    assert.equal(
      canBothMatch(requireRegex(a).program, requireRegex(b).program),
      overlap,
      `/${a}/ and /${b}/`,
    );
    assert.equal(
      canBothMatch(requireRegex(b).program, requireRegex(a).program),
      overlap,
      `/${b}/ and /${a}/`,
    );
  }
});

// Patterns without repetition match texts of at most three letters: all of these can be tried.
test('random short expressions overlap exactly if one of all short texts matches both', t => {
  t.diagnostic(`SEED=${SEED}`);
  const random = seededRandom(SEED);
  const texts = ['', 'a', 'b', 'c'].flatMap(x =>
    ['', 'a', 'b', 'c'].flatMap(y => ['', 'a', 'b', 'c'].map(z => x + y + z)),
  );
  const pick = () => ['a', 'b', '[ab]', '[^a]', 'c?', '(a|c)', '[bc]?', ''][Math.floor(random.unit() * 8)];
  let overlaps = 0;
  for (let round = 0; round < 2_000; round++) {
    const one = requireRegex(`${pick()}${pick()}${pick()}`);
    const two = requireRegex(`${pick()}${pick()}${pick()}`);
    const expected = texts.some(text => one.matches(text) && two.matches(text));
    assert.equal(
      canBothMatch(one.program, two.program),
      expected,
      `SEED=${SEED} /${one.pattern}/ /${two.pattern}/`,
    );
    if (expected) overlaps++;
  }
  assert(overlaps > 200 && overlaps < 1_800, `both answers are seen: ${overlaps}`);
});
