// What the terminal can do. A real one is in test/integration/log_formats.test.ts.
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { painter, terminalAt, wantsColor } from '../../src/observability/terminal.ts';

test('a file is no terminal', () => {
  assert.equal(terminalAt(openSync('/dev/null', 'w'), { TERM: 'xterm' }), null);
});

test('colour is for terminals that have a name, unless NO_COLOR says no', () => {
  for (const [env, expected] of [
    [{ TERM: 'xterm-256color' }, true],
    [{ TERM: 'xterm', NO_COLOR: '' }, true],
    [{ TERM: 'xterm', NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
    [{ TERM: '' }, false],
    [{}, false],
  ] as const)
    assert.equal(wantsColor(env), expected, JSON.stringify(env));
});

test('a style is switched on and off again, and without colour is nothing', () => {
  assert.equal(painter(true)('a', 'red'), '\x1b[31ma\x1b[39m');
  assert.equal(painter(true)('a', 'dim'), '\x1b[2ma\x1b[22m');
  assert.equal(painter(true)('', 'bold'), '');
  assert.equal(painter(false)('a', 'red'), 'a');
});
