import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplainedDecision } from '../../src/admin/decision_view.ts';
import { renderDecision } from '../../src/admin/decision_view_text.ts';
import { FAILURE_RULES } from '../../src/resilience/failure.ts';
import { RETRY_REFUSALS } from '../../src/resilience/retries.ts';
import { decisionOf } from './decision.ts';

const DECISION = decisionOf({ timing: { queueMs: 1, pausedMs: 2, totalMs: 30, overheadMs: 4 } });

const REQUEST = {
  group: 'timeouts',
  name: 'requestMs',
  path: 'routes.api.listeners.main.requestMs',
  key: 'listeners.main.timeouts.request',
  value: 60_000,
  text: '1m',
  origin: 'default',
} as const;

const linesOf = (change: Partial<ExplainedDecision>) =>
  renderDecision({ ...DECISION, ...change }).split('\n');

test('what a stranger wrote cannot command a terminal, nor make a line of its own', () => {
  const request = { ...DECISION.request, host: 'a\u001b[2Jb\u009b', path: '/x\nroute      admin' };
  const text = renderDecision({ ...DECISION, request });
  assert.match(text, /GET a\\x1B\[2Jb\\xC2\\x9B\/x\\x0Aroute {6}admin HTTP\/1\.1/);
  assert.equal(text.split('\n').filter(line => line.startsWith('route')).length, 1);
});

test('no nearer route, and one of which nothing is known any more, are two things', () => {
  assert.deepEqual(
    linesOf({ nearer: [] }).filter(line => line.includes('not ')),
    [],
  );
  assert.match(
    linesOf({ nearer: null }).join('\n'),
    /not {6}\(unknown: the plan or the head of the request is no longer kept\)/,
  );
  const nearer = [{ route: 'admin', reason: 'the method is GET' }];
  assert(linesOf({ nearer }).includes('  not      admin: the method is GET'));
});

test('a limit that only counts says so, and one that refused does not say how much is left', () => {
  const limit = { limiter: 'per-ip', mode: 'enforce', admitted: true, left: 3 } as const;
  assert.deepEqual(
    linesOf({
      rateLimits: [limit, { ...limit, admitted: false }, { ...limit, admitted: false, mode: 'shadow' }],
    }).filter(line => line.startsWith('rate')),
    [
      'rate       per-ip  admitted, 3 left',
      'rate       per-ip  refused',
      'rate       per-ip  refused (shadow: only counted)',
    ],
  );
});

test('each attempt says what came of it, and why there was no other; a timeout the line that set it', () => {
  const attempt = {
    endpoint: '10.0.0.1:80',
    startMs: 5,
    connectMs: null,
    firstByteMs: null,
    ms: 20,
    status: null,
    reason: 'reset_before_head',
    detail: 'ECONNRESET',
    reused: true,
  } as const;
  const lines = linesOf({
    attempts: [attempt, { ...attempt, reason: null, detail: null, status: 503, reused: false }],
    retryRefused: 'no_budget',
    timeout: { name: 'responseHead', ms: 30_000, origin: 'fairlead.yaml:7:5' },
    reason: 'response_head_timeout',
    status: 504,
  });
  assert.deepEqual(
    lines.filter(line => /^(?:attempt|no retry|timeout|response) /.test(line)),
    [
      'attempt    10.0.0.1:80  reset_before_head (ECONNRESET), began at 5 ms, took 20 ms, on a reused connection',
      'attempt    10.0.0.1:80  status 503, began at 5 ms, took 20 ms',
      'no retry   no_budget',
      'timeout    responseHead: 30s (fairlead.yaml:7)',
      'response   504 response_head_timeout  after 30 ms (queue 1 ms, pauses 2 ms, proxy 4 ms)',
    ],
  );
});

test('an endpoint is told with its circuit and its last error, and a limit that is off as off', () => {
  const condition = {
    endpoint: '10.0.0.1:80',
    weight: 1,
    state: 'unhealthy',
    sinceMs: 0,
    lastError: 'status 503',
    lastErrorAgoMs: 61_000,
    circuit: 'open',
    circuitWhy: 'too many failures',
  };
  const lines = linesOf({
    endpoints: [condition, { ...condition, lastErrorAgoMs: null, circuitWhy: null }],
    limits: [{ ...REQUEST, value: null, text: 'off' }],
  });
  assert.deepEqual(
    lines.filter(line => /^(?:now|timeouts)/.test(line)),
    [
      'now        10.0.0.1:80  unhealthy, circuit open: too many failures, last error: status 503 (1 min ago)',
      'now        10.0.0.1:80  unhealthy, last error: status 503',
      'timeouts   listeners.main.timeouts.request: off (default)',
    ],
  );
});

test('a timeout is called by its key where the plan is known, with the value that was reached', () => {
  const limits = [
    REQUEST,
    { ...REQUEST, key: 'clusters.a.pool.queueTimeout', origin: 'edge.yaml:3:4' },
    { ...REQUEST, key: 'clusters.b.pool.queueTimeout', origin: 'edge.yaml:9:4' },
  ];
  const timeout = { name: 'queueTimeout', ms: 1_500, origin: 'edge.yaml:9:4' };
  assert(
    linesOf({ timeout, limits }).includes('timeout    clusters.b.pool.queueTimeout: 1500ms (edge.yaml:9)'),
  );
  const deadline = { name: 'request', ms: 250, origin: 'X-Request-Deadline-Ms' };
  assert(
    linesOf({ timeout: deadline, limits }).includes('timeout    request: 250ms (X-Request-Deadline-Ms)'),
    'the client has set it, and no line of the file',
  );
});

test('why there was no retry is said in words, with the key that limits it', () => {
  const limits = [
    { ...REQUEST, key: 'routes.api.retries.attempts', text: '2', origin: 'edge.yaml:25:26' },
    { ...REQUEST, key: 'clusters.other.retryBudget.ratio', text: '0.1' },
    { ...REQUEST, key: 'clusters.app.retryBudget.ratio', text: '0.2' },
  ];
  const said = (retryRefused: string) =>
    linesOf({ retryRefused, limits, cluster: 'app' }).find(line => line.startsWith('no retry'));
  assert.equal(
    said('attempts_used_up'),
    'no retry   attempts_used_up: all attempts were made; routes.api.retries.attempts: 2 (edge.yaml:25)',
  );
  assert.match(said('budget_empty') ?? '', /; clusters\.app\.retryBudget\.ratio: 0\.2 \(default\)$/);
  assert.match(said('not_idempotent') ?? '', /: the backend may have processed it/);
  assert.equal(
    said('no_time'),
    'no retry   no_time: too little time was left',
    'without a key where it is not known',
  );
});

test('each refusal of a retry that the proxy makes itself has words', () => {
  for (const refused of RETRY_REFUSALS) {
    if (Object.hasOwn(FAILURE_RULES, refused)) continue; // a reason of its own, with a page
    const line = linesOf({ retryRefused: refused }).find(text => text.startsWith('no retry'));
    assert.match(line ?? '', new RegExp(`^no retry {3}${refused}: .{10,}`));
  }
});

test('a failure ends with what its reason means, how to find the cause and what to change; a success does not', () => {
  const failed = linesOf({ reason: 'tls_failed', status: 502 }).join('\n');
  assert.match(
    failed,
    /\n\ntls_failed: The TLS handshake[\s\S]*\nWhat it means\n[\s\S]*\nHow to find the cause\n[\s\S]*openssl s_client[\s\S]*\nWhat to change\n[\s\S]*tls\.caFile/,
  );
  assert.doesNotMatch(linesOf({}).join('\n'), /What it means/);
});

test('what of the configuration cannot work is said at the beginning', () => {
  assert.equal(
    linesOf({ hints: ['set protocol: h2c on cluster app'] })[1],
    'Wrong: set protocol: h2c on cluster app.',
  );
});

test('a request that no route matched is told where it might have been meant to go', () => {
  const elsewhere = {
    host: 'ap.test',
    hosts: ['api.test'],
    hostsTotal: 1,
    hostKnown: false,
    didYouMean: 'api.test',
    otherHosts: [],
    otherListeners: [],
  };
  const lines = linesOf({ route: null, reason: 'no_route', elsewhere });
  const at = lines.indexOf('elsewhere  no route of listener main is for the host ap.test');
  assert.equal(lines[at + 1], '           known hosts: api.test; did you mean api.test?');
});

test('the keys and commands of the reason are those of the request', () => {
  const attempt = {
    endpoint: '10.0.0.7:8443',
    startMs: 0,
    connectMs: null,
    firstByteMs: null,
    ms: 1,
    status: null,
    reason: 'tls_failed',
    detail: null,
    reused: false,
  } as const;
  const text = linesOf({ reason: 'tls_failed', cluster: 'app', attempts: [attempt] }).join('\n');
  assert.match(text, /`clusters\.app\.tls\.caFile`/);
  assert.match(text, /`openssl s_client -connect 10\.0\.0\.7:8443 /);
});
