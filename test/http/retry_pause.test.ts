// The wait before another attempt ends when it is over, or when the request is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryPause } from '../../src/http/retry_pause.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('the next attempt begins when the pause is over, which has lasted as long as it was to', () => {
  const clock = new FakeClock();
  let begun = 0;
  const pause = new RetryPause(clock, 50, () => begun++);
  clock.advance(49);
  assert.equal(begun, 0);
  clock.advance(1);
  assert.deepEqual([begun, pause.end(), clock.pendingTimers], [1, 50, 0]);
});

test('a request that ends during a pause makes no other attempt, and its pause is counted', () => {
  const clock = new FakeClock();
  let begun = 0;
  const pause = new RetryPause(clock, 50, () => begun++);
  clock.advance(20);
  assert.equal(pause.end(), 20);
  clock.advance(100);
  assert.deepEqual([begun, clock.pendingTimers], [0, 0]);
});
