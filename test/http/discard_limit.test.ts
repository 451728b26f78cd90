import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscardLimit } from '../../src/http/discard_limit.ts';
import { FakeClock } from '../support/fake_clock.ts';

function limit() {
  const clock = new FakeClock();
  const reached: number[] = [];
  const discard = new DiscardLimit(clock, () => reached.push(clock.nowMs()));
  return { clock, reached, discard, startedAtMs: clock.nowMs() };
}

test('64 KiB of an unwanted response are read, and not a byte more', () => {
  const { discard, reached } = limit();
  discard.countBytes(64 * 1024);
  assert.equal(reached.length, 0);
  discard.countBytes(1);
  assert.equal(reached.length, 1);
});

test('an unwanted response is read for one second', () => {
  const { clock, reached, startedAtMs } = limit();
  clock.advance(999);
  assert.deepEqual(reached, []);
  clock.advance(1);
  assert.deepEqual(reached, [startedAtMs + 1_000]);
});

test('an unwanted response that has ended leaves no timer', () => {
  const { clock, discard, reached } = limit();
  discard.stop();
  clock.advance(2_000);
  assert.deepEqual([reached, clock.pendingTimers], [[], 0]);
});
