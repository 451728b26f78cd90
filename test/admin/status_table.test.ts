// What an operator sees in a terminal of 80 columns.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStatus, type Status } from '../../src/admin/status_table.ts';

const endpoint = {
  endpoint: '10.0.0.7:8080',
  weight: 1,
  state: 'ejected',
  sinceMs: 12_000,
  lastError: '5 failures in a row, most recently reset_before_head',
  lastErrorAgoMs: 61_000,
  circuitWhy: null,
  inFlight: 3,
  connections: { open: 4, inUse: 3 },
  circuit: 'closed',
  disagrees: false,
  ejections: 1,
};
const status = {
  version: '1.0.0',
  phase: 'serving',
  uptimeMs: 3_700_000,
  plan: 'abcdef0123456789',
  lastReload: { at: 'noon', result: { kind: 'rejected', problems: ['fairlead.yaml:1:1: error: no'] } },
  readiness: { ready: false, reasons: ['the required cluster app has no endpoint that serves'] },
  isFromFile: true,
  requests: { active: 3, tunnels: 0 },
  connections: { open: 9, oldest: [] },
  listeners: [],
  clusters: [
    { name: 'app', circuit: null, panic: false, queue: 2, serving: 1, retryBudget: 9, endpoints: [endpoint] },
  ],
} as unknown as Status;

test('every line fits the terminal, and problems are in words', () => {
  const text = renderStatus(status, 80, false);
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(text, /plan abcdef012345/);
  assert.match(text, /up 1 h/);
  assert.match(text, /not ready: the required cluster app/);
  assert.match(text, /queued {2}app 2/);
  assert.match(text, /last reload rejected at noon: fairlead.yaml:1:1: error: no/);
  assert.match(text, /app {6}10\.0\.0\.7:8080 {2}ejected {2}12 s {3}3 {10}3\/4 {4}closed/);
});

test('colour is beside the word, not instead of it', () => {
  assert.match(
    renderStatus(status, 200, true),
    /\x1b\[31mapp .*ejected .*reset_before_head, 1 min ago\x1b\[0m/,
  );
});

test('a drain is a line of its own; a process that is older than the command says nothing of one', () => {
  const drain = {
    phase: 'draining',
    cause: 'SIGTERM',
    remainingMs: 9_000,
    requests: 1,
    tunnels: 0,
    connections: 1,
    routes: { all: 1 },
  } as const;
  assert.match(
    renderStatus({ ...status, drain }, 200, false),
    /^draining: 1 request, .*; asked for by SIGTERM$/m,
  );
  assert.doesNotMatch(renderStatus({ ...status, drain: null }, 200, false), /asked for by/);
  assert.doesNotMatch(renderStatus(status, 200, false), /asked for by/);
});
