// What an operator sees in a terminal, wide and narrow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCluster, renderStatus, type Status } from '../../src/admin/status_table.ts';
import { clusterView, endpointView, FIGURES, pageView } from './page_view.ts';

const PLAIN = { width: 200, color: false };

const ejected = endpointView({
  endpoint: '10.0.0.7:8080',
  state: 'ejected',
  sinceMs: 12_000,
  lastError: '5 failures in a row, most recently reset_before_head',
  lastErrorAgoMs: 61_000,
  inFlight: 3,
  connections: { open: 4, inUse: 3 },
  circuit: 'closed',
  ejections: 1,
  figures: { ...FIGURES, requests: 120, failureShare: 0.5, p95Ms: 40 },
  latency: { requests: 120, p95Ms: 30, usualMs: 10 },
});
const page = pageView(
  [
    clusterView([endpointView()], { name: 'app10' }),
    clusterView([endpointView()], { name: 'app9' }),
    clusterView([endpointView({ endpoint: '10.0.0.8:80' }), ejected], { name: 'zoo' }),
  ],
  {
    figures: {
      ...FIGURES,
      requests: 1_234,
      perSecond: 20.6,
      failureShare: 0.004,
      p50Ms: 3,
      p95Ms: 12,
      p99Ms: 40,
    },
    readiness: { ready: false, reasons: ['the required cluster zoo has no endpoint that serves'] },
  },
);
const status = {
  ...page,
  connections: { open: 9, oldest: [] },
  problems: [
    {
      severity: 'warning',
      subject: 'cluster zoo',
      text: 'zoo 10.0.0.7:8080 has been ejected for 12 s: 5 failures in a row, most recently reset_before_head.',
      key: 'clusters.zoo.health.passive',
      anchor: '#cluster-zoo',
    },
  ],
} as unknown as Status;

test('every line fits the terminal, and problems are whole sentences with their key before the table', () => {
  for (const width of [20, 40, 80, 120])
    for (const line of renderStatus(status, { width, color: false }).split('\n'))
      assert.ok(line.length <= width, `${width}: ${line}`);
  const lines = renderStatus(status, { width: 80, color: false }).split('\n');
  assert.deepEqual(lines.slice(5, 9), [
    'warning  zoo 10.0.0.7:8080 has been ejected for 12 s: 5 failures in a row, most',
    '         recently reset_before_head. [clusters.zoo.health.passive]',
    '',
    'cluster  endpoint       state    since  requests  failed  p95     active  conns…',
  ]);
});

test('the head says what happened in the last minute, and what is under way', () => {
  const [first, second] = renderStatus(status, PLAIN).split('\n');
  assert.equal(
    first,
    'fairlead 1.0.0  serving  up 1 h  plan abcdef012345  not ready: the required cluster zoo has no endpoint that serves',
  );
  assert.equal(
    second,
    'requests 1234 in the last minute (21/s)  failed 0.4 %  p50/p95/p99 3.0 / 12 / 40 ms  active 3  tunnels 0  connections 9',
  );
});

test('the failing cluster and the failing endpoint come first, names in natural order', () => {
  const rows = renderStatus(status, PLAIN).split('\n').slice(6, -1);
  assert.deepEqual(
    rows.map(row => row.split(/ {2,}/).slice(0, 3).join(' ')),
    [
      'zoo 10.0.0.7:8080 ejected',
      'zoo 10.0.0.8:80 healthy',
      'app9 10.0.0.7:80 healthy',
      'app10 10.0.0.7:80 healthy',
    ],
  );
  assert.match(
    rows[0] ?? '',
    /^zoo +10\.0\.0\.7:8080 +ejected +12 s +120 +50 % +40 ms +3 +3\/4 +closed +5 failures in a row, most recently reset_before_head, 1 min ago$/,
  );
});

test('an endpoint that is healthy but slow, or fails although its probe says yes, says so', () => {
  const slow = endpointView({ slow: { p95Ms: 900, expectedMs: 20, against: 'siblings' } });
  const lying = endpointView({ disagrees: true });
  const text = renderStatus(
    { ...status, ...pageView([clusterView([slow, lying])]) } as unknown as Status,
    PLAIN,
  );
  assert.match(text, /healthy, slow/);
  assert.match(text, /healthy, fails/);
  const ejected = endpointView({ disagrees: true, state: 'ejected' });
  const view = pageView([clusterView([ejected])]);
  assert.match(renderStatus({ ...status, ...view } as unknown as Status, PLAIN), /ejected(?!, fails)/);
});

test('colour is beside the word, not instead of it', () => {
  const text = renderStatus(status, { width: 200, color: true });
  assert.match(text, /\x1b\[31mzoo .*ejected .*reset_before_head, 1 min ago\x1b\[39m/);
  assert.match(text, /\x1b\[33mwarning {2}zoo/);
  assert.doesNotMatch(renderStatus(status, PLAIN), /\x1b/);
});

test('without problems it says so, also of a process that is older than the command', () => {
  assert.match(renderStatus({ ...status, problems: [] }, PLAIN), /^no problems$/m);
  const { problems: _, ...older } = status;
  assert.match(renderStatus(older as Status, PLAIN), /^no problems$/m);
  assert.match(renderStatus({ ...status, clusters: [] }, PLAIN), /no endpoint is failing/);
});

test('one cluster has all that is known of each endpoint', () => {
  const [, , zoo] = status.clusters;
  assert.ok(zoo !== undefined);
  const text = renderCluster(status, zoo, PLAIN);
  assert.match(text, /^cluster zoo {2}random {2}2 of 2 eligible {2}queue 0 of 10 {2}retries left 1$/m);
  assert.match(
    text,
    new RegExp(
      [
        '10\\.0\\.0\\.7:8080 {2}ejected for 12 s',
        ' {2}requests {4}120 in the last minute \\(1\\.0/s\\), 50 % failed, 0 retried',
        ' {2}durations {3}p50/p95/p99 1\\.0 / 40 / 1\\.0 ms; first byte p95 30 ms, usually 10 ms',
        ' {2}active {6}3, on 3 of 4 open connections, at most 1',
        ' {2}circuit {5}closed',
        ' {2}ejections {3}1',
        ' {2}weight {6}1',
        ' {2}last error {2}5 failures in a row, most recently reset_before_head, 1 min ago',
      ].join('\n'),
    ),
  );
  for (const line of renderCluster(status, zoo, { width: 40, color: false }).split('\n'))
    assert.ok(line.length <= 40, line);
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
  assert.match(renderStatus({ ...status, drain }, PLAIN), /^draining: 1 request, .*; asked for by SIGTERM$/m);
  assert.doesNotMatch(renderStatus({ ...status, drain: null }, PLAIN), /asked for by/);
  assert.doesNotMatch(renderStatus(status, PLAIN), /asked for by/);
});
