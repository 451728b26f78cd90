import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblems, inOrder, type Problem } from '../../src/config/problems.ts';

const base: Problem = {
  severity: 'error',
  file: 'fairlead.yaml',
  line: 2,
  column: 5,
  length: 5,
  message: 'unknown key "poool" in clusters.api',
  path: 'clusters.api.poool',
  hint: 'did you mean "pool"?',
};
const source = 'api:\n    poool: ws\n';

test('a problem is printed with its place, its line and a caret', () => {
  assert.equal(
    formatProblems([base], source, { color: false }),
    [
      'fairlead.yaml:2:5: error: unknown key "poool" in clusters.api (did you mean "pool"?)',
      '    2 |     poool: ws',
      '      |     ^^^^^',
      '',
    ].join('\n'),
  );
});

test('colour is only there when it is asked for', () => {
  const colored = formatProblems([base, { ...base, severity: 'warning' }], source, { color: true });
  assert.ok(colored.includes('\u001b[31merror\u001b[39m') && colored.includes('\u001b[33mwarning\u001b[39m'));
  assert.ok(!formatProblems([base], source, { color: false }).includes('\u001b'));
});

test('what a file holds cannot command the terminal', () => {
  const printed = formatProblems(
    [{ ...base, line: 1, column: 1, message: 'bad \u001b[2J' }],
    '\u001b]0;x\u0007\tabc',
    { color: false },
  );
  assert.ok(!/[\u0000-\u0009\u000b-\u001f]/.test(printed), JSON.stringify(printed));
});

test('a caret never leaves its line, and tabs do not shift it', () => {
  const printed = formatProblems([{ ...base, line: 1, column: 3, length: 99 }], '\tab: c\r\n', {
    color: false,
  });
  assert.deepEqual(printed.split('\n').slice(1, 3), ['    1 |  ab: c', '      |   ^^^^']);
  assert.equal(
    formatProblems([{ ...base, line: 9 }], source, { color: false }).split('\n').length,
    2,
    'no such line: only the message',
  );
});

test('of a line of megabytes only the part around the position is shown', () => {
  const long = `${'a'.repeat(100_000)}HERE${'b'.repeat(100_000)}`;
  const printed = formatProblems([{ ...base, line: 1, column: 100_001, length: 4 }], long, { color: false });
  const [, line = '', caret = ''] = printed.split('\n');
  assert.ok(line.length < 200);
  assert.equal(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1), 'HERE');
});

test('problems come in the order of the file, each once', () => {
  const later = { ...base, line: 3 };
  assert.deepEqual(
    inOrder([later, base, { ...base, column: 1 }, base]).map(({ line, column }) => [line, column]),
    [
      [2, 1],
      [2, 5],
      [3, 5],
    ],
  );
});

test('a file with thousands of problems shows two hundred and counts the rest', () => {
  const many = Array.from({ length: 1_000 }, (_, at) => ({ ...base, line: at + 1 }));
  const shown = inOrder(many);
  assert.equal(shown.length, 200);
  assert.equal(shown.at(-1)?.message, '801 more problems from here on, not shown');
  assert.equal(inOrder(many.slice(0, 200)).at(-1)?.message, base.message, 'two hundred are all shown');
});
