/** Words against an entry of the table: every way to be wrong has a message that says what to write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { parseWords, UsageError } from '../../src/cli/parse_words.ts';

const COPY: Command = {
  name: 'copy',
  summary: 'Copy',
  positionals: [{ name: 'FROM' }, { name: 'TO', optional: true }],
  options: [
    { name: 'force', short: 'f', description: 'Overwrite' },
    { name: 'mode', short: 'm', value: 'MODE', default: '644', description: 'Mode' },
    { name: 'owner', value: 'NAME', description: 'Owner' },
    { name: 'label', short: 'l', value: 'LABEL', repeatable: true, description: 'Label' },
  ],
  examples: [{ command: 'copy a b', shows: 'copies a' }],
  run: () => Promise.resolve(0),
};

const parse = (...words: string[]) => parseWords(COPY, words);
const refused = (pattern: RegExp, ...words: string[]) =>
  assert.throws(
    () => parse(...words),
    error => error instanceof UsageError && pattern.test(error.message),
  );

test('options stand anywhere, long, short, joined or with =, and the last of one kind wins', () => {
  const { values, positionals } = parse('-f', 'a', '--mode=600', '-m', '640', 'b', '--owner', 'me');
  assert.deepEqual(positionals, ['a', 'b']);
  assert.deepEqual([values.flag('force'), values.text('mode'), values.text('owner')], [true, '640', 'me']);
  assert.equal(parse('a', '-fm600').values.text('mode'), '600');
});

test('an absent option is its default, or nothing', () => {
  const { values } = parse('a');
  assert.deepEqual([values.flag('force'), values.text('mode'), values.text('owner')], [false, '644', null]);
  assert.deepEqual(values.texts('label'), []);
});

test('a repeatable option keeps every value in order', () => {
  assert.deepEqual(parse('a', '-l', 'x', '--label=y').values.texts('label'), ['x', 'y']);
});

test('after -- a word that looks like an option is none', () => {
  assert.deepEqual(parse('--', '--force').positionals, ['--force']);
});

test('an unknown option names the one that was meant', () => {
  refused(/^"copy" has no option --forse \(did you mean "--force"\?\)$/, 'a', '--forse');
  refused(/^"copy" has no option --elsewhere$/, 'a', '--elsewhere');
  refused(/^"copy" has no option -x$/, 'a', '-x');
  refused(/^"copy" has no option -o \(did you mean "--owner"\?\)$/, 'a', '-owner', 'me');
});

test('an option without its value, or with one too many, says so', () => {
  refused(/^--mode needs a value: --mode MODE$/, 'a', '--mode');
  refused(/^-m needs a value: -m MODE$/, 'a', '-m');
  refused(/^--mode needs a value: --mode MODE$/, 'a', '--mode', '--force');
  refused(/^--force takes no value$/, 'a', '--force=yes');
  assert.equal(parse('a', '--mode=-1').values.text('mode'), '-1', 'with = it was meant');
});

test('too few or too many arguments say how many there may be', () => {
  refused(/^"copy" takes two arguments at most \(FROM TO\), not 0$/);
  refused(/^"copy" takes two arguments at most \(FROM TO\), not 3$/, 'a', 'b', 'c');
});

test('a command that asks for an option that its entry does not list is a bug', () => {
  const { values } = parse('a');
  for (const wrong of [() => values.flag('mode'), () => values.text('force'), () => values.text('other')])
    assert.throws(wrong, /AssertionError|--/);
});
