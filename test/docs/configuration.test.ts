// docs/configuration.md is what the schema says today, and says everything that the schema accepts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderReference, type Schema } from '../../scripts/reference.ts';
import { schemaJson } from '../../src/config/json_schema.ts';
import { CHOICES, NUMBERS } from '../../src/config/schema/defaults.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const reference = renderReference(schemaJson());
const rows = new Map(
  [...reference.matchAll(/^\| `([^`]+)` \| (.*) \| (.*) \|$/gm)].map(([, key = '', meaning = '']) => [
    key,
    meaning,
  ]),
);

test('the reference is current; node scripts/reference.ts writes it anew', () => {
  assert.equal(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8'), reference);
});

test('every setting of the table of defaults that can be written has its row and its reason', () => {
  for (const [id, { why }] of [...Object.entries(NUMBERS), ...Object.entries(CHOICES)]) {
    if (id.startsWith('listeners.http2.windows')) continue; // cannot be written
    assert.ok(reference.includes(why.replace(/\|/g, '\\|')), id);
  }
});

test('every word that a setting accepts stands in its row', () => {
  const accepted = wordsOf('', schemaJson() as Schema);
  assert.ok(accepted.length > 40, 'the walk finds the words of the schema');
  for (const [key, word] of accepted.map(([key, word]) => [ofItem(key), word] as const))
    assert.ok(rows.get(key)?.includes(`\`${word}\``), `${key}: ${word} in ${rows.get(key) ?? 'no row'}`);
});

test('what can be switched off as a whole, or on without details, says so', () => {
  for (const [key, words] of [
    ['admin', '`off`, or a mapping'],
    ['admin.address', 'Or `off`.'],
    ['logging.access', '`off`, or a mapping'],
    ['process.reload.probation', '`off`, or a mapping'],
    ['clusters.*.health.active', '`off`, or a mapping'],
    ['clusters.*.health.passive', '`off`, or a mapping'],
    ['clusters.*.health.active.grpc', '`true`, or a mapping'],
    ['listeners.*.http2', '`true`, `false`, or a mapping'],
    ['listeners.*.timeouts.request', 'or off.'],
    ['listeners.*.tls.clientCertificate.mode', 'One of `none`, `optional`, `required`.'],
    ['listeners.*.tls.sessionTickets', '`off`, or a mapping'],
    ['clusters.*.tls', '`off`, or a mapping'],
    ['routes[].basicAuth', '`off`, or a mapping'],
    ['routes[].maintenance', '`on`, `off`, or a mapping'],
    ['listeners.*.healthPath', 'Or `off`.'],
    ['clusters.*.loadBalancing.policy', 'One of `roundRobin`, `leastRequests`, `random`.'],
  ] as const)
    assert.ok(rows.get(key)?.includes(words), `${key}: ${rows.get(key) ?? 'no row'}`);
  assert.doesNotMatch(reference, /One of `[^`]*`\./, 'a single word is no choice');
});

test('every row says what its key means', () => {
  for (const [key, meaning] of rows) assert.match(meaning, /^\S+ \S+|^host:port/, key);
});

test('every row says what holds where the key is absent, and every number its bounds with their unit', () => {
  for (const [, key = '', meaning = '', value = ''] of reference.matchAll(
    /^\| `([^`]+)` \| (.*) \| (.*) \|$/gm,
  )) {
    assert.match(value, /^(`.+`|required|none|see there)$/, key);
    if (value === 'see there') assert.match(meaning, /when (absent|empty)/i, key);
  }
  for (const { min, max, why } of Object.values(NUMBERS)) {
    const row = [...rows.values()].find(meaning => meaning.includes(why.replace(/\|/g, '\\|')));
    if (row !== undefined)
      assert.match(row, /[\d.]+(ms|s|m|h|(?:B|KiB|MiB|GiB)(?:\/s)?)? to [\d.]+/, `${min} ${max} ${why}`);
  }
});

/** The keys of `defaults` are those of the items. */
function ofItem(key: string): string {
  return key
    .replace(/^defaults\.(clusters|listeners)\./, '$1.*.')
    .replace(/^defaults\.routes\./, 'routes[].');
}

/** Every word that the schema accepts at a key: constants, choices, and the true and false of a union. */
function wordsOf(key: string, schema: Schema): [key: string, word: string][] {
  const {
    const: only,
    enum: choices = [],
    anyOf = [],
    properties = {},
    additionalProperties,
    items,
  } = schema;
  const words = [...choices, ...(only === undefined ? [] : [only])].map((word): [string, string] => [
    key,
    String(word),
  ]);
  const inside = Object.entries(properties).flatMap(([name, part]) =>
    wordsOf(key === '' ? name : `${key}.${name}`, part),
  );
  const named = typeof additionalProperties === 'object' ? wordsOf(`${key}.*`, additionalProperties) : [];
  const listed = items === undefined ? [] : wordsOf(`${key}[]`, items);
  const forms = anyOf.flatMap(form =>
    form.type === 'boolean' && form.const === undefined
      ? ([
          [key, 'true'],
          [key, 'false'],
        ] as [string, string][])
      : wordsOf(key, form),
  );
  return [...words, ...inside, ...named, ...listed, ...forms];
}
