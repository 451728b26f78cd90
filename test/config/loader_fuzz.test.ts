// Goal: whatever is in the file, the loader says what is wrong with it: it never throws, never hangs, and a plan that it makes
// is whole. Method: the examples with lines and values edited at random, and structures put together from keys and values.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigText } from '../../src/config/loader.ts';
import { formatProblems } from '../../src/config/problems.ts';
import { chance, FUZZ_SEED, rounds } from '../support/fuzz.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const ROUNDS = 150;
/** Of the processor, for one file: a machine that is busy with something else does not count. */
const LOAD_MS_MAX = 5_000;
const { below, oneOf, some, once } = chance();

const FILES = [
  ...globSync('examples/*.yaml', { cwd: ROOT }).sort(),
  ...globSync('test/config/golden/*.yaml', { cwd: ROOT }).sort(),
];
const TEXTS = FILES.map(file => readFileSync(join(ROOT, file), 'utf8'));
/** Every word of every example: keys and values alike. */
const WORDS = [...new Set(TEXTS.flatMap(text => text.match(/[A-Za-z][A-Za-z0-9]*/g) ?? []))];

const VALUES = [
  '',
  '0',
  '-1',
  '1',
  '1.5',
  '1e309',
  '99999999999999999999',
  '0x10',
  '.inf',
  '.nan',
  'null',
  '~',
  'true',
  'off',
  'on',
  'y',
  '5s',
  '0s',
  '1h',
  '999999h',
  '16KiB',
  '9999TiB',
  '100/s',
  '0/s',
  '127.0.0.1:0',
  '[::1]:99999',
  'unix:/',
  'fd:x',
  ...['{HOME}', '{UNSET}', '{UNSET:-x}', '{UNSET:-', '{'].map(variable => `$${variable}`),
  '*',
  '*a',
  '&a',
  '!!js/function "x"',
  '!!binary aGk=',
  '<<: *a',
  '2001-01-01',
  '"',
  "'",
  '|',
  '>',
  '{',
  '}',
  '[',
  ']',
  '{}',
  '[]',
  '[[[[[[[[]]]]]]]]',
  '? a',
  '- - - a',
  '__proto__',
  'constructor',
  '/',
  '/{a}/**',
  '/(a+)+$',
  '(',
  'a.example',
  '*.example',
  '10.0.0.0/8',
  '10.0.0.0/99',
  '\x00',
  '\ufeff',
  '\u2028',
  '\ud800',
  '\t',
  '# x',
  '---',
  '...',
  '%YAML 1.2',
];

function edited(text: string): string {
  const lines = text.split('\n');
  for (let edits = below(4); edits > 0; edits--) {
    const at = below(lines.length);
    const line = lines[at] ?? '';
    switch (below(8)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(at, 0, lines[below(lines.length)] ?? '');
        break;
      case 2:
        lines[at] = ' '.repeat(below(6)) + line.trimStart();
        break;
      case 3:
        lines[at] = line.replace(/:.*/, `: ${oneOf(VALUES)}`);
        break;
      case 4:
        lines[at] = line.replace(/[A-Za-z0-9]+/, oneOf([...VALUES, ...WORDS]));
        break;
      case 5:
        lines[at] =
          line.slice(0, below(line.length + 1)) + oneOf(VALUES) + line.slice(below(line.length + 1));
        break;
      case 6:
        lines[at] = `${line}\n${' '.repeat(below(8))}${oneOf(WORDS)}: ${oneOf(VALUES)}`;
        break;
      default:
        return lines.join('\n').slice(0, below(text.length));
    }
  }
  return lines.join('\n');
}

const TOP = ['listeners', 'routes', 'clusters', 'process', 'admin', 'logging', 'tracing', 'stores', 'tls'];

function randomNode(depth: number): unknown {
  if (depth === 0 || once(3)) return oneOf(VALUES);
  if (once(3)) return Array.from({ length: below(3) }, () => randomNode(depth - 1));
  return Object.fromEntries(Array.from({ length: below(5) }, () => [oneOf(WORDS), randomNode(depth - 1)]));
}

/** Valid YAML, for JSON is YAML; as often as not with the keys that belong at the top. */
function randomStructure(): string {
  const top = TOP.filter(() => once(2)).map(key => [key, randomNode(5)]);
  return JSON.stringify({ version: oneOf([1, 1, 1, 2, '1', null]), ...Object.fromEntries(top) }, null, 1);
}

function randomText(): string {
  switch (below(4)) {
    case 0:
      return randomStructure();
    case 1:
      return some(30, () => `${' '.repeat(below(5))}${oneOf(WORDS)}: ${oneOf(VALUES)}\n`);
    default:
      return edited(oneOf(TEXTS));
  }
}

test(`whatever is in the file, the loader says what is wrong with it (seed ${FUZZ_SEED})`, () => {
  const met = { loaded: 0, invalid: 0, unreadable: 0 };
  for (const round of rounds(ROUNDS)) {
    const text = randomText();
    const context = `seed ${FUZZ_SEED}, round ${round}:\n${text}`;
    const before = process.cpuUsage();
    const result = load(text, context);
    const { user, system } = process.cpuUsage(before);
    assert((user + system) / 1_000 < LOAD_MS_MAX, `${user + system} us for ${context}`);
    met[result.kind]++;
    if (result.kind === 'loaded') {
      assert.deepEqual(JSON.parse(JSON.stringify(result.plan)), result.plan, context);
      assert(Object.isFrozen(result.plan), context);
    }
    if (result.kind !== 'invalid') continue;
    assert(
      result.problems.some(({ severity }) => severity === 'error'),
      `no reason: ${context}`,
    );
    const lines = text.split(/\r\n|[\n\r]/).length;
    for (const { line, column, message } of result.problems) {
      assert(
        message !== '' && line >= 1 && line <= lines && column >= 1,
        `${line}:${column} ${message}: ${context}`,
      );
    }
    assert.notEqual(formatProblems(result.problems, text, { color: false }), '', context);
  }
  assert(met.loaded > 0 && met.invalid > 0, JSON.stringify(met));
});

/** As if it stood in the folder of the examples, whose files it may name. */
function load(text: string, context: string) {
  try {
    return loadConfigText(text, join(ROOT, 'examples/fuzz.yaml'), { HOME: '/home' });
  } catch (error) {
    throw new Error(`the loader has thrown at ${context}`, { cause: error });
  }
}
