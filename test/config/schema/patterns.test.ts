import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ENDPOINT_ADDRESS_PATTERN,
  LISTEN_ADDRESS_PATTERN,
  orVariable,
} from '../../../src/config/schema/patterns.ts';

function assertPattern(pattern: string, good: readonly string[], bad: readonly string[]): void {
  const regex = new RegExp(pattern, 'u');
  for (const text of good) assert.match(text, regex);
  for (const text of bad) assert.doesNotMatch(text, regex);
}

test('an editor refuses addresses of the wrong form', () => {
  const both = ['h:80', '10.0.0.1:8080', '[::1]:80', 'unix:/run/x.sock', `\${HOST}:80`, `h:\${PORT:-80}`];
  const neither = [
    'http://h:80',
    'h',
    '[::1]',
    'h:http',
    '*.x:80',
    '$H:80',
    'h:80/x',
    '10.0.0.1',
    '8080',
    '',
  ];
  assertPattern(LISTEN_ADDRESS_PATTERN, [...both, ':8080', 'fd:3'], neither);
  assertPattern(ENDPOINT_ADDRESS_PATTERN, both, [...neither, ':8080', 'fd:http']);
});

test('a variable passes for any form', () => {
  assertPattern(orVariable('^a$'), ['a', `\${A}`, `x\${A}y`], ['b', '$A', 'ab']);
});
