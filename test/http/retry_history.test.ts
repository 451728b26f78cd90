import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attempt } from '../../src/http/attempt.ts';
import { type AttemptEnd, RetryHistory } from '../../src/http/retry_history.ts';
import { RetryBudget } from '../../src/resilience/retry_budget.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { headOf } from './open_request.ts';

const SETTINGS = {
  attemptsMax: 1,
  onConnect: true,
  onReset: true,
  onStatuses: [503],
  perTryMs: null,
  backoff: { baseMs: 1, maxMs: 1 },
  replayBytesMax: 0,
};
const FACTS = { replayable: true, timeLeftMs: 10_000 };
const RESET: AttemptEnd = {
  kind: 'failed',
  failure: { kind: 'reset_before_head', code: 'ECONNRESET' },
  timeout: null,
};

function history() {
  const budget = new RetryBudget({ ratio: 1, perSecondMin: 10 }, new FakeClock());
  return new RetryHistory(headOf({ method: 'GET' }), SETTINGS, budget, seededRandom(1));
}

function attemptOn(backend: string, stale = false): Attempt {
  return { lease: { backend }, stale } as unknown as Attempt;
}

test('a failed attempt uses one of the attempts, and its backend is not asked again first', () => {
  const tries = history();
  tries.countAttempt();
  assert.equal(tries.decide(attemptOn('a'), RESET, FACTS).again, true);
  assert.deepEqual([tries.tried, tries.wantsFresh, tries.repeated], [['a'], false, RESET]);
  tries.countAttempt();
  const second = tries.decide(attemptOn('b'), RESET, FACTS);
  assert.deepEqual(second, { again: false, why: 'attempts_used_up' });
  assert.deepEqual(tries.tried, ['a'], 'no other attempt follows');
});

test('an attempt on a stale connection is repeated on a fresh one, by the same backend, and costs no attempt', () => {
  const tries = history();
  tries.countAttempt();
  assert.equal(tries.decide(attemptOn('a', true), RESET, FACTS).again, true);
  assert.deepEqual([tries.tried, tries.wantsFresh], [[], true]);
  tries.countAttempt();
  assert.equal(tries.decide(attemptOn('a'), RESET, FACTS).again, true);
  assert.deepEqual([tries.tried, tries.wantsFresh], [['a'], false]);
});

test('Retry-After of the response decides whether there is a retry', () => {
  const tries = history();
  tries.countAttempt();
  const end: AttemptEnd = { kind: 'response', status: 503, headers: ['Retry-After', '60'] };
  assert.deepEqual(tries.decide(attemptOn('a'), end, FACTS), { again: false, why: 'retry_after_too_long' });
});

test('a request is moved to another connection eight times at most, and each move costs no attempt', () => {
  const tries = history();
  tries.countAttempt();
  for (let moves = 0; moves < 8; moves++) {
    assert.equal(tries.moveAttempt(), true);
    tries.countAttempt();
  }
  assert.equal(tries.moveAttempt(), false);
  assert.equal(tries.decide(attemptOn('a'), RESET, FACTS).again, true);
});
