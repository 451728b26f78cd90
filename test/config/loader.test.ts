// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration, not of JavaScript
/**
 * Whatever a file holds, loading it ends with a plan or with problems that point into the file. The random part prints
 * its seed; FUZZ_SEED and FUZZ_ROUNDS repeat and extend it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LoadResult, loadConfig, loadConfigText } from '../../src/config/loader.ts';
import { formatProblems } from '../../src/config/problems.ts';
import { caFile, server } from '../support/certificates.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { loadedFrom, resultOf } from './config_text.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-load-'));
after(() => rmSync(folder, { recursive: true }));

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_121);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 3_000);

function assertSound(result: LoadResult, source: string, why: string): void {
  assert(result.kind !== 'unreadable', why);
  const problems = result.kind === 'loaded' ? result.warnings : result.problems;
  const errors = problems.filter(({ severity }) => severity === 'error');
  assert.equal(errors.length > 0, result.kind === 'invalid', `${why}: errors mean invalid`);
  const lines = source.split(/\r\n|[\r\n]/);
  for (const { line, column, length, message } of problems) {
    const text = lines[line - 1];
    assert.ok(text !== undefined, `${why}: line ${line} of ${lines.length}: ${message}`);
    assert.ok(
      column >= 1 && column <= text.length + 1 && length >= 1,
      `${why}: ${line}:${column}+${length} in "${text}": ${message}`,
    );
    assert.ok(
      message.length > 0 && !message.includes('undefined') && !message.includes('[object'),
      `${why}: ${message}`,
    );
  }
  formatProblems(problems, source, { color: false });
  if (result.kind === 'loaded') assert.deepEqual(JSON.parse(JSON.stringify(result.plan)), result.plan, why);
}

const corpus = ['forward', 'edge', 'demo', 'limits', 'canary'].map(name =>
  readFileSync(fileURLToPath(new URL(`../../examples/${name}.yaml`, import.meta.url)), 'utf8'),
);
corpus.push(readFileSync(fileURLToPath(new URL('golden/everything.yaml', import.meta.url)), 'utf8'));

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  ',',
  '\n',
  '\n  ',
  '\r\n',
  '\t',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!!str ',
  '|',
  '>',
  '?',
  '---\n',
  '...\n',
  '${',
  '${X}',
  '${X:-1}',
  '$${',
  '0',
  '-1',
  '1.5',
  '1e9',
  '.nan',
  '.inf',
  'null',
  '~',
  'off',
  'true',
  'yes',
  '5s',
  '16KiB',
  '__proto__',
  'constructor',
  '<<',
  '🙂',
  '\u0000',
  '\u2028',
  '\ufeff',
  'unix:',
  'fd:3',
  '[::]:80',
  '*',
  '/**',
  '/{id}',
  '(a|b)*',
  '99999999999999999999',
  'é',
];

test('a random mutation of a valid file is loaded, or its problems are reported', () => {
  const random = seededRandom(SEED);
  const below = (count: number): number => Math.floor(random.unit() * count);
  const pick = (items: readonly string[]): string => items[below(items.length)] ?? '';
  const mutate = (text: string): string => {
    const at = below(text.length + 1);
    const to = Math.min(text.length, at + below(12));
    const words = text.match(/[\w./-]+/g) ?? ['a'];
    switch (below(6)) {
      case 0:
        return text.slice(0, at) + text.slice(to);
      case 1:
        return text.slice(0, at) + pick(TOKENS) + text.slice(at);
      case 2:
        return text.slice(0, at) + pick(TOKENS) + text.slice(to);
      case 3:
        return text.replace(pick(words), () => pick(words));
      case 4:
        return text.replace(pick(words), () => pick(TOKENS));
      default: {
        const lines = text.split('\n');
        const from = below(lines.length);
        lines.splice(below(lines.length), 0, ...lines.splice(from, 1 + below(3)));
        return lines.join('\n');
      }
    }
  };
  const kinds = { loaded: 0, invalid: 0, unreadable: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    let text = pick(corpus);
    for (let count = below(4); count >= 0; count--) text = mutate(text);
    const why = `FUZZ_SEED=${SEED} round ${round}`;
    let result: LoadResult;
    try {
      result = loadConfigText(text, '/etc/fairlead/fuzz.yaml', {});
    } catch (error) {
      throw new Error(`${why} throws for:\n${text}`, { cause: error });
    }
    assertSound(result, text, why);
    kinds[result.kind]++;
  }
  assert.ok(
    kinds.loaded > ROUNDS / 20 && kinds.invalid > ROUNDS / 20,
    `both ways are taken: ${JSON.stringify(kinds)}`,
  );
});

test('a random tree of the right keys with wrong values gets its problems reported', () => {
  const random = seededRandom(SEED + 1);
  const below = (count: number): number => Math.floor(random.unit() * count);
  const keys = [...new Set(corpus.join(' ').match(/[A-Za-z]+(?=:)/g) ?? [])];
  const tree = (depth: number): unknown => {
    const kind = below(depth > 5 ? 6 : 10);
    if (kind < 2) return TOKENS[below(TOKENS.length)]?.replace(/[^\x20-\x7e]/g, '') ?? '';
    if (kind === 2) return below(3) - 1;
    if (kind === 3) return random.unit() < 0.5;
    if (kind === 4) return null;
    if (kind === 5) return '127.0.0.1:80';
    if (kind === 6) return Array.from({ length: below(3) }, () => tree(depth + 1));
    return Object.fromEntries(
      Array.from({ length: below(4) }, () => [keys[below(keys.length)] ?? 'a', tree(depth + 1)]),
    );
  };
  for (let round = 0; round < ROUNDS; round++) {
    const whole = {
      version: 1,
      listeners: { main: tree(2) },
      routes: [tree(2), tree(2)],
      clusters: { app: tree(2), [keys[below(keys.length)] ?? 'b']: tree(2) },
    };
    const text = JSON.stringify(whole, null, round % 2);
    assertSound(loadConfigText(text, 'fuzz.yaml', { X: '1' }), text, `FUZZ_SEED=${SEED} tree ${round}`);
  }
});

test('garbage is reported as garbage', () => {
  const random = seededRandom(SEED + 2);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(
      Array.from({ length: 1 + Math.floor(random.unit() * 200) }, () =>
        Math.floor(random.unit() * (round % 2 === 0 ? 256 : 128)),
      ),
    );
    const file = join(folder, 'garbage.yaml');
    writeFileSync(file, bytes);
    const result = loadConfig(file, {});
    assertSound(
      result,
      result.kind === 'unreadable' ? '' : result.source,
      `FUZZ_SEED=${SEED} garbage ${round}`,
    );
    assert.equal(result.kind, 'invalid');
  }
});

test('an expensive file is refused quickly', () => {
  const bomb = [
    'a: &a0 [x, x]',
    ...Array.from({ length: 30 }, (_, at) => `b${at}: &a${at + 1} [*a${at}, *a${at}]`),
  ].join('\n');
  const deep = `a: ${'['.repeat(100_000)}`;
  const many = `routes: [${'{},'.repeat(100_000)}]`;
  const flat = `a: [${'1,'.repeat(1_500_000)}]`;
  for (const text of [
    bomb,
    deep,
    many,
    flat,
    '&a '.repeat(10_000),
    '{'.repeat(50_000),
    `"${'\\u0041'.repeat(500_000)}"`,
  ]) {
    const result = loadConfigText(text, 'x.yaml', {});
    assert.equal(result.kind, 'invalid');
    assert.ok(result.kind === 'invalid' && result.problems.length <= 200);
  }
});

test('a file that cannot be read is no configuration, and says why', () => {
  const missing = loadConfig(join(folder, 'missing.yaml'), {});
  assert(missing.kind === 'unreadable');
  assert.match(
    missing.message,
    /cannot read the configuration file .*missing\.yaml: it does not exist \(set the file with --config FILE or \$FAIRLEAD_CONFIG\)/,
  );
  assert.equal(loadConfig(folder, {}).kind, 'unreadable');
});

test('a file that is too large or no text is a bad configuration', () => {
  writeFileSync(join(folder, 'large.yaml'), '#'.repeat(4 * 1_024 ** 2 + 1));
  writeFileSync(join(folder, 'latin1.yaml'), Buffer.from('# caf\xe9\n', 'latin1'));
  for (const [name, why] of [
    ['large.yaml', /larger than 4 MiB/],
    ['latin1.yaml', /not UTF-8 text/],
  ] as const) {
    const result = loadConfig(join(folder, name), {});
    assert(result.kind === 'invalid');
    assert.match(result.problems[0]?.message ?? '', why);
  }
});

test('what was loaded comes with everything that a reload needs', () => {
  const result = loadedFrom({
    listeners: `{ main: { address: 127.0.0.1:1, tls: { certificates: [{ certFile: ${server.certFile}, keyFile: ${server.keyFile} }] } } }`,
    clusters: `{ app: { endpoints: [a:1], tls: { caFile: ${caFile} } } }`,
  });
  assert.deepEqual(
    [...result.files.keys()].sort(),
    [caFile, server.certFile, server.keyFile, '/etc/fairlead/test.yaml'].sort(),
  );
  assert.match(result.source, /^version: 1/);
  assert.deepEqual(result.warnings, []);
});

test('variables come from the environment that is handed in', () => {
  const text = {
    clusters: '{ app: { endpoints: ["127.0.0.1:${PORT}"], pool: { connections: "${MAX:-7}" } } }',
  };
  const { plan } = loadedFrom(text, { PORT: '9000' });
  assert.deepEqual(plan.clusters.app?.endpoints[0]?.address, { kind: 'tcp', host: '127.0.0.1', port: 9_000 });
  assert.equal(plan.clusters.app?.pool.connectionsMax, 7);
  const without = resultOf(text, {});
  assert(without.kind === 'invalid');
  assert.deepEqual(
    without.problems.map(({ message }) => message.slice(0, 39)),
    ['environment variable PORT is not set; s'],
  );
});

test('the same file gives the same plan', () => {
  assert.deepEqual(loadedFrom(corpus[1] ?? '').plan, loadedFrom(corpus[1] ?? '').plan);
});
