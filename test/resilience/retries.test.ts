import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_RULES, type FailureKind } from '../../src/resilience/failure.ts';
import { decideRetry, type RetryFacts, type RetrySettings } from '../../src/resilience/retries.ts';

const settings: RetrySettings = {
  attemptsMax: 2,
  onConnect: true,
  onReset: true,
  onStatuses: [503],
  perTryMs: null,
  backoff: { baseMs: 25, maxMs: 250 },
  replayBytesMax: 65_536,
};
const facts: RetryFacts = {
  failure: 'reset_before_head',
  status: null,
  method: 'GET',
  hasIdempotencyKey: false,
  replayable: true,
  reused: false,
  attempts: 1,
  retryAfter: null,
  timeLeftMs: 10_000,
};
const half = { unit: () => 0.5, requestId: () => '' };

function decide(change: Partial<RetryFacts>, change2: Partial<RetrySettings> = {}, budget = true) {
  let asked = 0;
  const decision = decideRetry(
    { ...facts, ...change },
    { ...settings, ...change2 },
    { withdraw: () => ++asked > 0 && budget },
    half,
  );
  return { decision, asked };
}

test('what the failure table calls never is never repeated, whatever the method', () => {
  for (const kind of Object.keys(FAILURE_RULES) as FailureKind[]) {
    const { decision } = decide({ failure: kind });
    const expected = FAILURE_RULES[kind].retry !== 'never';
    assert.equal(decision.again, expected, kind);
  }
});

test('before anything was sent any method goes elsewhere; after that only idempotent ones', () => {
  assert.equal(decide({ failure: 'connect_refused', method: 'POST' }).decision.again, true);
  assert.deepEqual(decide({ method: 'POST' }).decision, { again: false, why: 'not_idempotent' });
  assert.equal(decide({ method: 'POST', hasIdempotencyKey: true }).decision.again, true);
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
    assert.equal(decide({ method }).decision.again, true, method);
  for (const method of ['POST', 'PATCH', 'LOCK'])
    assert.equal(decide({ method }).decision.again, false, method);
});

test('each reason against a retry is named', () => {
  const why = (change: Partial<RetryFacts>, change2: Partial<RetrySettings> = {}) => {
    const { decision } = decide(change, change2);
    return decision.again ? 'again' : decision.why;
  };
  assert.equal(why({}, { attemptsMax: 0 }), 'off');
  assert.equal(why({}, { onReset: false }), 'not_asked_for');
  assert.equal(why({ failure: null, status: 500 }), 'not_asked_for');
  assert.equal(why({ attempts: 3 }), 'attempts_used_up');
  assert.equal(why({ replayable: false }), 'body_not_kept');
  assert.equal(why({ timeLeftMs: 5 }), 'no_time');
  assert.equal(why({ failure: null, status: 503, retryAfter: '2' }), 'retry_after_too_long');
  assert.equal(why({ failure: null, status: 503, retryAfter: '1' }), 'again');
  assert.deepEqual(decide({}, {}, false).decision, { again: false, why: 'budget_empty' });
});

test('the budget is asked last: a retry that is refused anyway does not spend it', () => {
  assert.equal(decide({ method: 'POST' }).asked, 0);
  assert.equal(decide({}).asked, 1);
});

test('a stale connection is repeated at once, a new one after a pause', () => {
  assert.deepEqual(decide({ reused: true }).decision, { again: true, delayMs: 0 });
  assert.deepEqual(decide({}).decision, { again: true, delayMs: 12.5 });
});
