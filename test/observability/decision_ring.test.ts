// The ring keeps what is worth asking about, and forgets the oldest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecisionRing, describeCause } from '../../src/observability/decision_ring.ts';
import type { FailureKind } from '../../src/resilience/failure.ts';
import { attemptRecord, requestRecord } from './records.ts';

const FACTS = {
  peerTrusted: true,
  clientSource: 'X-Forwarded-For',
  connectionIp: '192.0.2.1',
  policy: 'random',
  rateLimits: [],
  head: null,
} as const;

test('failures are wanted always, successes once a second', () => {
  const ring = new DecisionRing();
  const wanted = [0, 400, 999, 1_000, 1_500].map(endedAtMs => ring.wants(requestRecord({ endedAtMs })));
  assert.deepEqual(wanted, [true, false, false, true, false]);
  assert.equal(ring.wants(requestRecord({ endedAtMs: 1_501, reason: 'no_route' })), true);
  assert.equal(ring.wants(requestRecord({ endedAtMs: 1_502, status: 503 })), true);
});

test('records are listed newest first, filtered, and never more than 500', () => {
  const ring = new DecisionRing();
  for (let at = 0; at < 700; at++) {
    const route = at % 2 === 0 ? 'even' : 'odd';
    ring.add(requestRecord({ requestId: `r${at}`, route, reason: 'queue_full' }), FACTS, '/', 0);
  }
  assert.deepEqual(
    ring.list({}, 2).map(({ id }) => id),
    ['r699', 'r698'],
  );
  assert.deepEqual(
    ring.list({ route: 'even' }, 2).map(({ id }) => id),
    ['r698', 'r696'],
  );
  assert.deepEqual([ring.list({}, 9_999).length, ring.list({ reason: 'internal' }, 9).length], [500, 0]);
  assert.deepEqual([ring.find('r199'), ring.find('r200')?.decision.id], [null, 'r200']);
});

test('what clients bring on themselves does not wash away why a backend failed', () => {
  const ring = new DecisionRing();
  const add = (requestId: string, reason: FailureKind) =>
    ring.add(requestRecord({ requestId, reason }), FACTS, '/', 0);
  add('down', 'connect_refused');
  for (let at = 0; at < 9_999; at++) add(`scan${at}`, 'no_route');
  assert.equal(ring.find('down')?.decision.reason, 'connect_refused');
  assert.deepEqual(
    ring.failures(3).map(({ id }) => id),
    ['scan9998', 'scan9997', 'down'],
    'newest first, and room for the one that matters',
  );
});

test('of two records with one id the newer one is found', () => {
  const ring = new DecisionRing();
  for (const status of [503, 200]) ring.add(requestRecord({ requestId: 'twice', status }), FACTS, '/', 0);
  assert.equal(ring.find('twice')?.decision.status, 200);
});

test('a record is a copy: what becomes of the request later does not change it', () => {
  const ring = new DecisionRing();
  const attempt = attemptRecord();
  ring.add(requestRecord({ attempts: [attempt] }), FACTS, '/', 0);
  attempt.status = 599;
  assert.equal(ring.list({}, 1)[0]?.attempts[0]?.status, 200);
});

test('the cause is one sentence with all that is known', () => {
  const ring = new DecisionRing();
  const timeout = { name: 'perTry', ms: 50, origin: 'fairlead.yaml:3:4' };
  const attempts = [attemptRecord({ endpoint: 'a:1' }), attemptRecord({ endpoint: 'b:1' })];
  ring.add(
    requestRecord({ reason: 'response_head_timeout', retryRefused: 'budget_empty', timeout, attempts }),
    FACTS,
    '/',
    0,
  );
  const [decision] = ring.list({}, 1);
  assert(decision !== undefined);
  assert.equal(
    describeCause(decision),
    'The backend did not respond in time (response_head_timeout); the last attempt went to b:1, after 2 attempts; ' +
      'timeout perTry of 50 ms, set by fairlead.yaml:3:4; not retried: budget_empty. See fairlead explain response_head_timeout.',
  );
});
