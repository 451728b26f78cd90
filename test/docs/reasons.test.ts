// docs/reasons.md says of each reason what the table of failures says, and helps with each.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaJson } from '../../src/config/json_schema.ts';
import { FAILURE_RULES, GRPC_STATUS } from '../../src/resilience/failure.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const text = readFileSync(join(ROOT, 'docs/reasons.md'), 'utf8');
/** Heading to text, in the order of the file. */
const sections = new Map(
  text
    .split(/^## /m)
    .slice(1)
    .map(section => [section.slice(0, section.indexOf('\n')), section.replaceAll(/\s+/g, ' ')]),
);
const RETRY = { never: 'never', other_backend: 'on another backend', idempotent: 'idempotent methods' };

test('there is one section for each reason, in the order of the table, and no other section', () => {
  assert.deepEqual([...sections.keys()].sort(), Object.keys(FAILURE_RULES).sort());
});

test('each section has the facts of the table', () => {
  for (const [kind, rule] of Object.entries(FAILURE_RULES)) {
    const section = sections.get(kind) ?? '';
    const facts = [
      `${rule.title}. Status ${rule.status}`,
      `Proxy-Status ${rule.proxyStatus === null ? 'none' : `\`${rule.proxyStatus}\``}`,
      `blame: ${rule.blame}`,
      `tried again: ${RETRY[rule.retry]}`,
    ];
    for (const fact of facts) assert.ok(section.includes(fact), `${kind}: "${fact}" in\n${section}`);
  }
});

test('the table of grpc-status has each reason in the row of its code, and no other', () => {
  const rows = [...text.matchAll(/^\| (\d+) [A-Z_]+ \| (.+) \|$/gm)];
  const told = rows.flatMap(([, code, kinds = '']) =>
    [...kinds.matchAll(/`(\w+)`/g)].map(([, kind]) => [String(kind), Number(code)] as const),
  );
  assert.deepEqual(told.toSorted(), Object.entries(GRPC_STATUS).toSorted());
});

test('each section says what it means, how to find the cause and what to change', () => {
  for (const [kind, section] of sections) {
    for (const label of ['Means', 'Find the cause', 'Change'])
      assert.match(section, new RegExp(`\\*\\*${label}:\\*\\* .{10,}`), `${kind}: ${label}`);
  }
});

test('each section names a command, a field of the log or a metric to look at, and a key to change where there is one', () => {
  const without = ['method_not_supported', 'loop_detected', 'internal', 'reset_in_body', 'local_exhausted'];
  for (const [kind, section] of sections) {
    assert.match(section, /\*\*Find the cause:\*\* .*`[^`]+`.*\*\*Change/, `${kind}: nothing to look at`);
    const change = section.slice(section.indexOf('**Change:**'));
    if (!without.includes(kind)) assert.match(change, /`[^`]+`/, `${kind}: no key`);
  }
});

test('each configuration key that a section names exists', () => {
  const schema = schemaJson() as JsonSchema;
  let checked = 0;
  for (const [kind, section] of sections) {
    for (const [, key = ''] of section.matchAll(
      /`((?:listeners|routes|clusters|stores|process)\.[\w.*]+)[`:]/g,
    )) {
      assert.ok(hasKey(schema, key.split('.')), `${kind}: there is no ${key}`);
      checked++;
    }
  }
  assert.ok(checked > 40, `${checked} keys were looked up`);
});

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** `*` stands for a name that people choose, or for an item of a list. */
function hasKey(schema: JsonSchema, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  const { additionalProperties: named, items, properties } = schema;
  const inner =
    first === '*' ? (items ?? (typeof named === 'object' ? named : undefined)) : properties?.[first];
  if (inner !== undefined && hasKey(inner, rest)) return true;
  return schema.anyOf?.some(one => hasKey(one, [first, ...rest])) === true;
}
