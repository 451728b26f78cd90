import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplainedDecision } from '../../src/admin/decision_view.ts';
import { renderDecision } from '../../src/admin/decision_view_text.ts';

const DECISION: ExplainedDecision = {
  id: 'r1',
  time: '2026-01-01T00:00:00.000Z',
  traceId: null,
  listener: 'main',
  client: {
    ip: '192.0.2.1',
    peer: '192.0.2.1',
    connection: '192.0.2.1',
    trusted: false,
    source: 'connection',
  },
  request: { method: 'GET', host: 'app.test', path: '/a', protocol: 'HTTP/1.1' },
  status: 200,
  reason: null,
  failure: null,
  route: 'api',
  cluster: null,
  policy: null,
  rateLimits: [],
  attempts: [],
  retryRefused: null,
  timeout: null,
  timing: { queueMs: 1, pausedMs: 2, totalMs: 30, overheadMs: 4 },
  bytesIn: 0,
  bytesOut: 0,
  plan: 'abcdef0123456789',
  cause: 'It was answered.',
  clientFrom: 'the peer itself',
  nearer: [],
  endpoints: [],
  limits: [],
};

const linesOf = (change: Partial<ExplainedDecision>) =>
  renderDecision({ ...DECISION, ...change }).split('\n');

test('what a stranger wrote cannot command a terminal, nor make a line of its own', () => {
  const request = { ...DECISION.request, host: 'a\u001b[2Jb\u009b', path: '/x\nroute      admin' };
  const text = renderDecision({ ...DECISION, request });
  assert.match(text, /GET a\ufffd\[2Jb\ufffd\/x\ufffdroute {6}admin HTTP\/1\.1/);
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
    lines.filter(line => /^(?:attempt|no retry|timeout|response)/.test(line)),
    [
      'attempt    10.0.0.1:80  reset_before_head (ECONNRESET)  at 5 ms for 20 ms, reused connection',
      'attempt    10.0.0.1:80  status 503  at 5 ms for 20 ms',
      'no retry   no_budget',
      'timeout    responseHead of 30000 ms  fairlead.yaml:7:5',
      'response   504 response_head_timeout  after 30 ms (queue 1, pauses 2, proxy 4)',
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
    limits: [{ name: 'requestMs', value: null, origin: 'default' }],
  });
  assert.deepEqual(
    lines.filter(line => /^(?:now|limit)/.test(line)),
    [
      'now        10.0.0.1:80  unhealthy, circuit open: too many failures, last error: status 503 (1 min ago)',
      'now        10.0.0.1:80  unhealthy, last error: status 503',
      `limit      ${'requestMs'.padEnd(30)} ${'off'.padEnd(12)} default`,
    ],
  );
});
