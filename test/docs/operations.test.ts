// docs/operations.md knows every field, event, state and path that there is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explainOffline } from '../../src/admin/explain.ts';
import { renderExplanation } from '../../src/admin/explain_text.ts';
import { findCommand } from '../../src/cli/commands.ts';
import { HEALTH_STATES } from '../../src/health/state.ts';
import { accessLine } from '../../src/observability/access_log.ts';
import { RETRY_REFUSALS } from '../../src/resilience/retries.ts';
import { attemptRecord, requestRecord } from '../observability/records.ts';
import { load } from '../support/plan_builder.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const source = (name: string) => readFileSync(join(ROOT, 'src', name), 'utf8');
const section = (title: string) => page.split('\n## ').find(part => part.startsWith(`${title}\n`)) ?? '';

function assertNames(title: string, names: Iterable<string>): void {
  for (const name of names) assert.ok(section(title).includes(`\`${name}\``), `${title}: ${name}`);
}

test('each field of an access line is explained', () => {
  const failure = { kind: 'bad_response', detail: 'd' } as const;
  const record = requestRecord({
    reason: 'bad_response',
    failure,
    timeout: { name: 'perTry', ms: 1, origin: 'f:1:1' },
    retryRefused: 'budget_empty',
    attempts: [attemptRecord({ detail: 'd' })],
    pausedMs: 1,
    clientCertificate: 'CN=a',
  });
  const line = JSON.parse(accessLine(record, '/', 0));
  const inner = [line.attempts[0], line.timing, line.timeout].flatMap(part => Object.keys(part));
  assertNames('The access line', [...Object.keys(line), ...inner]);
  assert.ok(RETRY_REFUSALS.includes('attempts_used_up'));
});

test('each event is in the table', () => {
  const kinds = source('observability/events.ts').matchAll(/readonly kind: ('\w+'(?: \| '\w+')*)/g);
  const names = [...kinds].flatMap(([, text = '']) =>
    [...text.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
  );
  assert.ok(names.length > 20);
  assertNames('Events', names);
});

test('each state of an endpoint is in the table', () => {
  assertNames('States of an endpoint', [...HEALTH_STATES, 'unchecked', 'drained', 'unresolved']);
});

test('each path of the admin API is in the table', () => {
  const code = source('admin/api.ts') + source('admin/action_routes.ts');
  const paths = [...code.matchAll(/app\.(?:get|post)\('([^']+)'/g)].map(([, path = '']) => path);
  assert.ok(paths.length > 8);
  for (const path of paths) {
    const shown = path.replace(/:(\w+)/g, (_, name: string) => name.toUpperCase());
    assert.ok(section('Admin API').includes(shown), path);
  }
});

test('each signal that is listened to is in the table', () => {
  for (const [signal] of source('lifecycle/signals.ts').matchAll(/SIG[A-Z0-9]+/g))
    assert.ok(section('Signals').includes(signal), signal);
});

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-');
}

test('each link inside of the page, and each to a reason, leads to a heading', () => {
  const anchors = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)));
  const reasons = readFileSync(join(ROOT, 'docs/reasons.md'), 'utf8');
  const links = [...page.matchAll(/\]\((reasons\.md)?#([\w-]+)\)/g)];
  assert.ok(links.length > 15);
  for (const [, other, anchor = ''] of links)
    assert.ok(other === undefined ? anchors.has(anchor) : reasons.includes(`\n## ${anchor}\n`), anchor);
});

test('each symptom has a command, what its output means, and what to change', () => {
  const rows = section('Troubleshooting')
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| symptom'));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const cells = row.split(/(?<!\\)\|/).slice(1, -1);
    assert.equal(cells.length, 4, row);
    for (const cell of cells) assert.ok(cell.trim().length > 2, row);
  }
});

test('each command that the page names is one of the command line', () => {
  for (const [, name = ''] of page.matchAll(/`fairlead ([a-z]+)/g)) assert.ok(findCommand(name), name);
});

test('each failure reason that the page names exists', () => {
  const reasons = readFileSync(join(ROOT, 'docs/reasons.md'), 'utf8');
  for (const [, name = ''] of section('Troubleshooting').matchAll(/\b50[234] `(\w+)`/g))
    assert.ok(reasons.includes(`\n## ${name}\n`), name);
});

test('the example of explain is what the command prints', () => {
  const { plan, origins } = load(readFileSync(join(ROOT, 'examples/edge.yaml'), 'utf8'), 'edge.yaml');
  const explained = explainOffline(plan, origins, {
    url: 'http://api.example.com/v1/users',
    method: 'GET',
    headers: [],
    clientIp: '127.0.0.1',
    listener: null,
  });
  assert(!('error' in explained));
  const printed = renderExplanation(explained).split('\n');
  const [, sample = ''] = /```\n\$ fairlead explain [^\n]*\n([\s\S]*?)```/.exec(section('Explain')) ?? [];
  const shown = sample.split('\n').filter(line => line.trim() !== '' && line.trim() !== '…');
  assert.ok(shown.length > 10);
  for (const line of shown)
    assert.ok(
      printed.some(one => one.trim().endsWith(line.trim())),
      line,
    );
});
