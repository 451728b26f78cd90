// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration, not of JavaScript
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from '../../../src/config/text/document.ts';

function parse(source: string, env: Readonly<Record<string, string>> = {}) {
  return parseDocument(source, 'x.yaml', env);
}

function documentOf(source: string) {
  const { document, problems } = parse(source);
  assert.deepEqual(problems, []);
  assert(document !== null);
  return document;
}

function refusal(source: string): string {
  const { document, problems } = parse(source);
  assert.equal(document, null);
  assert.equal(problems.length, 1);
  const [{ line, column, message, hint } = assert.fail()] = problems;
  return `${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

test('values are those of YAML 1.2: no surprises from yes, octal numbers or dates', () => {
  const { value } = documentOf('a: yes\nb: 012\nc: 2026-01-01\nd: off\ne: 1_000\nf: true\ng: 0x10\n');
  assert.deepEqual(value, { a: 'yes', b: 12, c: '2026-01-01', d: 'off', e: '1_000', f: true, g: 16 });
});

test('a place is counted as editors count, whatever ends a line', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const document = documentOf(['a: 1', '', 'b:', '  c: 2', ''].join(end));
    assert.equal(document.origin(['b', 'c']), 'x.yaml:4:6', JSON.stringify(end));
    assert.equal(document.line(['b', 'c']), 4);
  }
});

test('a missing key is shown at its nearest parent', () => {
  const problem = documentOf('a: 1\nb:\n  c: { d: 1 }\n').problem('error', ['b', 'c', 'x', 'y'], 'm');
  assert.deepEqual([problem.line, problem.column, problem.length, problem.path], [3, 3, 1, 'b.c.x.y']);
});

test('a problem is underlined to the end of its line at most', () => {
  const document = documentOf('a: { b: 1,\n  c: 2 }\n');
  assert.equal(document.problem('error', ['a'], 'm').length, '{ b: 1,'.length);
});

test('a route is called by its name', () => {
  const document = documentOf('routes:\n  - { name: api, x: [1] }\n  - { x: 1 }\n  - { name: "a b" }\n');
  assert.equal(document.show(['routes', 0, 'x', 0]), 'routes.api.x[0]');
  assert.equal(document.show(['routes', 1, 'x']), 'routes[1].x');
  assert.equal(document.show(['routes', 2]), 'routes[2]');
});

test('duplicate keys are errors, all of them at once, with the line of the first one', () => {
  const { problems } = parse('a: 1\nb: { c: 1, c: 2 }\na: 3\n');
  assert.deepEqual(
    problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
    ['2:12 duplicate key "c", first used on line 2', '3:1 duplicate key "a", first used on line 1'],
  );
});

test('a text that is not one document is refused with its position', () => {
  assert.match(refusal(''), /^1:1 the file is empty/);
  assert.match(refusal('a: 1\n---\nb: 1\n'), /more than one YAML document/);
  assert.match(refusal('a: 1\n\tb: 2\n'), /^2:1 invalid YAML: tab/);
  assert.match(refusal('a: *b\n'), /^1:5 invalid YAML: unidentified alias/);
  assert.match(refusal('a: !env X\n'), /tags such as !include are not supported/);
  assert.match(refusal('a: { b: ${C} }\n'.replace('C', 'PORT')), /\(quote it: "\$\{PORT\}"\)/);
  assert.match(refusal('? [a]\n: b\n'), /complex keys/);
});

test('everything that could grow is capped', () => {
  assert.match(refusal(`a: "${'x'.repeat(4 * 1_024 * 1_024)}"`), /larger than 4 MiB/);
  assert.match(refusal(`a: ${'['.repeat(33)}${']'.repeat(33)}`), /maxDepth \(32\)/);
  assert.match(refusal(`a: &a 1\nb: [${Array.from({ length: 101 }, () => '*a').join(', ')}]`), /alias/i);
});

test('a hundred aliases are allowed', () => {
  documentOf(`a: &a 1\nb: [${Array.from({ length: 100 }, () => '*a').join(', ')}]`);
});

test('a prototype is no key: it is refused, and what else is in the file is still read', () => {
  const { document, problems } = parse('__proto__: { a: 1 }\nb: 1\n');
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['the key "__proto__" is not allowed'],
  );
  assert.deepEqual(document?.value, { b: 1 });
});

test('all variables without a value are reported, with their positions', () => {
  const { problems, unresolved } = parse('a: "${X}"\nb: [1, "${Y}"]\n');
  assert.deepEqual(
    problems.map(({ line, column }) => [line, column]),
    [
      [1, 4],
      [2, 8],
    ],
  );
  assert.deepEqual(unresolved, [['a'], ['b', 1]]);
});
