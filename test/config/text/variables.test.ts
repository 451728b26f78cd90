// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration, not of JavaScript
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandVariables, TEXT_LENGTH_MAX, VALUES_MAX } from '../../../src/config/text/variables.ts';

function expand(text: string, env: Readonly<Record<string, string>> = {}): unknown {
  const result = expandVariables({ text }, env, 8);
  assert(typeof result !== 'string');
  return result.problems.length > 0
    ? result.problems.map(({ message }) => message)
    : (result.value as { text: string }).text;
}

const V = (name: string): string => `\${${name}}`;

test('a variable is put in, a default where it is missing or empty', () => {
  assert.equal(expand(`a ${V('A')} b`, { A: '1' }), 'a 1 b');
  assert.equal(expand(`${V('A')}${V('B')}`, { A: '1', B: '2' }), '12');
  assert.equal(expand(V('A:-x y')), 'x y');
  assert.equal(expand(V('A:-x'), { A: '' }), 'x');
  assert.equal(expand(V('A:-')), '');
  assert.equal(expand(V('A'), { A: '' }), '');
});

test('a variable without value is a problem at its place', () => {
  const result = expandVariables({ a: ['x', { b: V('MISSING') }] }, {}, 8);
  assert(typeof result !== 'string');
  assert.deepEqual(
    result.problems.map(({ path }) => path),
    [['a', 1, 'b']],
  );
  assert.match(
    result.problems[0]?.message ?? '',
    /MISSING is not set; set it, or write \$\{MISSING:-default\}/,
  );
});

test('names are found in the environment only, not in what every object has', () => {
  assert.match(String(expand(V('constructor'))), /constructor is not set/);
});

test('what was put in is not looked at again, and never changes the structure', () => {
  assert.equal(expand(V('A'), { A: V('B'), B: 'x' }), V('B'));
  assert.equal(expand(V('A'), { A: '}, evil: {' }), '}, evil: {');
});

test('a doubled dollar stands for the characters themselves', () => {
  assert.equal(expand(`$${V('A')}`), V('A'));
  assert.equal(expand('$5, $$, $A'), '$5, $$, $A');
});

test('half a variable is a problem, not a text', () => {
  for (const text of ['${', '${A', '${}', '${1A}', '${A B}', '${A-b}', '${A:b}'])
    assert.match(String(expand(text)), /a variable is written/, text);
});

test('numbers, truth and nothing stay what they are; keys are left alone', () => {
  const value = { [V('A')]: 1, b: true, c: null, d: [1.5] };
  const result = expandVariables(value, { A: 'x' }, 8);
  assert(typeof result !== 'string');
  assert.deepEqual(result.value, value);
});

test('shared parts become copies of their own', () => {
  const shared = { a: 1 };
  const result = expandVariables({ x: shared, y: shared }, {}, 8);
  assert(typeof result !== 'string');
  const { x, y } = result.value as { x: unknown; y: unknown };
  assert.notEqual(x, y);
});

test('a few lines cannot become gigabytes', () => {
  let values: unknown = ['x'];
  for (let depth = 0; depth < 7; depth++) values = Array.from({ length: 10 }, () => values);
  assert.match(String(expandVariables(values, {}, 32)), new RegExp(`more than ${VALUES_MAX} values`));
  const texts = Array.from({ length: 100 }, () => V('LONG'));
  assert.match(String(expandVariables(texts, { LONG: 'x'.repeat(TEXT_LENGTH_MAX / 50) }, 32)), /characters/);
  const circle: unknown[] = [];
  circle.push(circle);
  assert.match(String(expandVariables(circle, {}, 32)), /more than 32 levels deep/);
});

test('what another proxy would put in is explained', () => {
  const told = (text: string): string => {
    const result = expandVariables({ a: text }, {}, 10);
    assert(typeof result !== 'string');
    return result.problems.map(({ message }) => message).join('\n');
  };
  assert.match(
    told('https://${host}/'),
    /variable host is not set; parts of the request are written \{host\}/,
  );
  assert.match(told('https://${HOST}/'), /variable HOST is not set; set it, or write \$\{HOST:-default\}/);
  assert.match(told('/x/${1}'), /a group of a regex is written \$1$/);
  assert.match(told('/x/${-}'), /write \$\$\{ for a literal \$\{$/);
});
