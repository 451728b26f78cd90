// docs/reasons.md says of each reason what the table of failures says, and helps with each.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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

test('each configuration key that a section names exists', () => {
  const schema = readFileSync(join(ROOT, 'src/config/schema/defaults.ts'), 'utf8');
  for (const [kind, section] of sections) {
    for (const [, key = ''] of section.matchAll(/`(?:listeners|routes|clusters)\.\*\.([\w.]+)/g)) {
      const last = key.split('.').at(-1) ?? '';
      const isKnown =
        schema.includes(`.${last}'`) ||
        ['trustedProxies', 'proxyProtocol', 'endpoints', 'caFile'].includes(last);
      assert.ok(isKnown, `${kind}: there is no ${key}`);
    }
  }
});
