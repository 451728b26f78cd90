import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../../src/resilience/random.ts';
import { compileRegex, PATTERN_LENGTH_MAX, requireRegex, STATES_MAX } from '../../src/routing/regex.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SEED = Number(process.env.SEED ?? 20_261_120);

const LONG = 32_768;

test('a pattern matches the whole text and nothing less', () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ['/api', '/api', true],
    ['/api', '/api/x', false],
    ['/api', 'x/api', false],
    ['^/api$', '/api', true],
    ['/price\\$', '/price$', true],
    ['/v[0-9]+/.*', '/v12/x/y', true],
    ['/v[0-9]+/.*', '/v/x', false],
    ['/(a|b)/c', '/b/c', true],
    ['/(a|b)/c', '/ab/c', false],
    ['/[^/]+', '/a/b', false],
    ['[\\w.-]+', 'a-b.c_1', true],
    ['\\D\\S\\W', 'a- ', true],
    ['[\\D]', '5', false],
    ['a{2}', 'aaa', false],
    ['a{2,}', 'aaa', true],
    ['a{2,3}', 'aaaa', false],
    ['a??b', 'ab', true],
    ['(a*)*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['.', '\n', true],
    ['a|', '', true],
    ['[a-]+', 'a-a', true],
    ['\\.', 'x', false],
    ['.*', '\u20ac', true],
    ['[a-z]', '\u20ac', false],
  ];
  for (const [pattern, text, matches] of cases) {
    assert.equal(requireRegex(pattern).matches(text), matches, `/${pattern}/ on "${text}"`);
  }
});

// Goal: the two machines and JavaScript agree. Method: random patterns over a small alphabet, so that texts often match.
test('thousands of random patterns match what JavaScript says they match', t => {
  t.diagnostic(`SEED=${SEED}`);
  const random = seededRandom(SEED);
  let hits = 0;
  for (let round = 0; round < 4_000; round++) {
    const pattern = randomPattern(random, 3);
    const ours = compileRegex(pattern);
    if (typeof ours === 'string') {
      assert.match(ours, /repeats too much|at most/, `/${pattern}/: ${ours}`);
      continue;
    }
    const theirs = new RegExp(`^(?:${pattern})$`, 's');
    for (let texts = 0; texts < 12; texts++) {
      const text = randomText(random);
      const expected = theirs.test(text);
      assert.equal(ours.matches(text), expected, `SEED=${SEED} /${pattern}/ on "${text}"`);
      assert.equal(ours.exec(text) !== null, expected, `SEED=${SEED} exec /${pattern}/ on "${text}"`);
      if (expected) hits++;
    }
  }
  assert(hits > 4_000, `the test must see matches, not only misses: ${hits}`);
});

test('a pattern with more states than are remembered is still right', () => {
  // The automaton of `(a|b)*a(a|b){12}` has 8,192 states, far more than are kept.
  const regex = requireRegex('(a|b)*a(a|b){12}');
  const theirs = /^(?:a|b)*a(?:a|b){12}$/;
  const random = seededRandom(SEED);
  let hits = 0;
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: 40 }, () => (random.unit() < 0.5 ? 'a' : 'b')).join('');
    assert.equal(regex.matches(text), theirs.test(text), text);
    if (regex.matches(text)) hits++;
  }
  assert(hits > 100 && hits < 400, 'both answers are seen');
  assert.equal(regex.statesRemembered, STATES_MAX, 'and no more are remembered than may be');
});

// A backtracking engine needs 2^n steps for each of these; the count is of steps, so the machine's speed has no say.
test('patterns that ruin a backtracking engine take time in proportion to the text', () => {
  const evil = ['(a*)*b', '(a|aa)+b', '(a+)+b', '(.*)(.*)(.*)(.*)x', '(a|a)*b', '(a|b)*a(a|b){60}c'];
  for (const pattern of evil) {
    const regex = requireRegex(pattern);
    const short = readsPerMatch(regex.matches, regex, 'a'.repeat(LONG / 4));
    const long = readsPerMatch(regex.matches, regex, 'a'.repeat(LONG));
    assert(long <= 5 * short + 10, `/${pattern}/: ${short} reads for a quarter, ${long} for the whole`);
    assert(long <= LONG, `/${pattern}/: each character is read once, not ${long} times`);
    assert.equal(regex.exec('a'.repeat(LONG)), null);
  }
  // The machine with groups: these would not end in this century.
  for (const pattern of ['(a*)*', '(a|aa)+', '(a+)+', '(.*)(.*)(.*)(.*)']) {
    assert.equal(requireRegex(pattern).exec('a'.repeat(LONG))?.[0]?.to, LONG);
  }
});

test('a text of any length that a listener admits is matched: none passes by a guard because it is long', () => {
  const guard = requireRegex('/admin/.*');
  const longest = `/admin${'/'.repeat(1_000_000)}`;
  assert.equal(guard.matches(longest), true);
  assert.equal(guard.matches(`/b${longest}`), false);
  assert.equal(guard.exec(longest)?.[0]?.to, longest.length);
});

test('a pattern that is too long is refused with the limit', () => {
  assert.equal(typeof compileRegex('a'.repeat(PATTERN_LENGTH_MAX)), 'object');
  assert.match(String(compileRegex('a'.repeat(PATTERN_LENGTH_MAX + 1))), /at most 256 characters/);
});

test('what every match begins with is known, for precedence', () => {
  const cases = [
    ['/api/v[0-9]+', '/api/v'],
    ['/api/?x', '/api'],
    ['/a\\.b/.*', '/a.b/'],
    ['/a/(b|c)', '/a/'],
    ['/a|/b', ''],
    ['.*', ''],
    ['^/x$', '/x'],
    ['[a]b{2}c', 'a'],
    ['[a-c]x', ''],
    ['a.b', 'a'],
  ];
  for (const [pattern = '', prefix] of cases)
    assert.equal(requireRegex(pattern).literalPrefix, prefix, pattern);
});

/** How many characters a match looks at. */
function readsPerMatch(match: (text: string) => boolean, regex: object, text: string): number {
  let reads = 0;
  const counting = {
    length: text.length,
    charCodeAt(at: number) {
      reads++;
      return text.charCodeAt(at);
    },
  };
  match.call(regex, counting as unknown as string);
  return reads;
}

function randomText(random: Random): string {
  const length = Math.floor(random.unit() * 7);
  return Array.from({ length }, () => 'abc/'[Math.floor(random.unit() * 4)]).join('');
}

function randomPattern(random: Random, depth: number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.unit() * items.length)] as T;
  const atom = (): string => {
    if (depth > 0 && random.unit() < 0.35) {
      return `${pick(['(', '(?:'])}${randomPattern(random, depth - 1)})`;
    }
    return pick([
      'a',
      'b',
      'c',
      '/',
      '.',
      '[ab]',
      '[^a]',
      '[a-c]',
      '\\w',
      '\\W',
      '[^/]',
      '\\/',
      '[b-]',
      '\\d',
    ]);
  };
  const repeat = () =>
    random.unit() < 0.4
      ? pick(['*', '+', '?', '{2}', '{1,}', '{0,2}', '{1,3}', '*?', '+?', '??', '{0}'])
      : '';
  const sequence = () =>
    Array.from({ length: Math.floor(random.unit() * 4) }, () => atom() + repeat()).join('');
  const alternatives = random.unit() < 0.3 ? 2 : 1;
  return Array.from({ length: alternatives }, sequence).join('|');
}
