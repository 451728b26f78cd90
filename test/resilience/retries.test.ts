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
  stale: false,
  attempts: 1,
  retryAfter: null,
  timeLeftMs: 10_000,
};
const half = { unit: () => 0.5, requestId: () => '', hex: () => '' };

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

test('before anything was sent any method is retried; after that only idempotent ones', () => {
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

test('a stale connection is repeated at once, wherever; a new one after a pause, elsewhere', () => {
  assert.deepEqual(decide({ stale: true }).decision, { again: true, delayMs: 0, where: 'any' });
  assert.deepEqual(decide({}).decision, { again: true, delayMs: 12.5, where: 'other' });
  assert.deepEqual(decide({ stale: true, failure: 'response_head_timeout' }).decision, {
    again: true,
    delayMs: 12.5,
    where: 'other',
  });
});

// What CONTRACT section 3 says, row by row: for GET, for POST, and for POST on a stale connection, where not a byte
// was written or that is not known.
const ROWS: Readonly<Record<FailureKind, readonly [get: boolean, post: boolean, unsent: boolean]>> = {
  bad_request: [false, false, false],
  client_timeout: [false, false, false],
  body_too_large: [false, false, false],
  uri_too_long: [false, false, false],
  head_too_large: [false, false, false],
  no_route: [false, false, false],
  access_denied: [false, false, false],
  maintenance: [false, false, false],
  auth_required: [false, false, false],
  misdirected_request: [false, false, false],
  method_not_supported: [false, false, false],
  rate_limited: [false, false, false],
  too_many_tunnels: [false, false, false],
  client_gone: [false, false, false],
  no_healthy_backend: [false, false, false],
  circuit_open: [true, true, true],
  queue_full: [true, true, true],
  queue_timeout: [true, true, true],
  dns_failed: [true, true, true],
  connect_refused: [true, true, true],
  connect_timeout: [true, true, true],
  tls_failed: [true, true, true],
  reset_before_head: [true, false, true],
  response_head_timeout: [true, false, false],
  per_try_timeout: [true, false, false],
  bad_response: [false, false, false],
  reset_in_body: [false, false, false],
  response_idle_timeout: [false, false, false],
  request_timeout: [false, false, false],
  tunnel_idle_timeout: [false, false, false],
  loop_detected: [false, false, false],
  overloaded: [false, false, false],
  shutting_down: [false, false, false],
  limit_store_failed: [false, false, false],
  local_exhausted: [false, false, false],
  internal: [false, false, false],
};

for (const [kind, [get, post, unsent]] of Object.entries(ROWS)) {
  test(`${kind} is repeated for GET: ${get}, for POST: ${post}, for POST never written: ${unsent}`, () => {
    const failure = kind as FailureKind;
    assert.equal(decide({ failure }).decision.again, get);
    assert.equal(decide({ failure, method: 'POST' }).decision.again, post);
    assert.equal(decide({ failure, method: 'POST', stale: true }).decision.again, post, 'not known');
    assert.equal(decide({ failure, method: 'POST', stale: true, unsent: true }).decision.again, unsent);
    assert.equal(decide({ failure, replayable: false }).decision.again, false, 'never without the body');
  });
}

test('a 4xx response is never retried, even if the route asks for it', () => {
  const onStatuses = [429, 503];
  assert.equal(decide({ failure: null, status: 429 }, { onStatuses }).decision.again, false);
  assert.equal(decide({ failure: null, status: 503 }, { onStatuses }).decision.again, true);
});

test('a backend that asks for a pause gets it, up to a second', () => {
  const delay = (retryAfter: string) => {
    const { decision } = decide({ failure: null, status: 503, retryAfter });
    return decision.again ? decision.delayMs : decision.why;
  };
  assert.equal(delay('0'), 12.5);
  assert.equal(delay('1'), 1_000);
  assert.equal(delay('2'), 'retry_after_too_long');
  assert.equal(delay('Sat, 21 Nov 2026 01:00:00 GMT'), 'retry_after_too_long');
  assert.equal(delay('-1'), 'retry_after_too_long', 'what cannot be read is not guessed');
});

test('an attempt that could not begin before the deadline is not made', () => {
  assert.equal(decide({ timeLeftMs: 12.5 }).decision.again, false);
  assert.equal(decide({ timeLeftMs: 12.6 }).decision.again, true);
  assert.equal(decide({ timeLeftMs: Number.POSITIVE_INFINITY }).decision.again, true, 'there is no deadline');
});

test('attempts are counted after the first one', () => {
  const again = (attempts: number) => decide({ attempts }, { attemptsMax: 2 }).decision.again;
  assert.deepEqual([again(1), again(2), again(3)], [true, true, false]);
});

test('a stale connection uses up no attempt: the next one is fresh, and cannot be stale', () => {
  assert.equal(decide({ stale: true, attempts: 3 }).decision.again, true);
  assert.deepEqual(decide({ stale: false, attempts: 3 }).decision, { again: false, why: 'attempts_used_up' });
});
