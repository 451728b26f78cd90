import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Linger } from '../../../src/http/client/linger.ts';
import { FakeClock } from '../../support/fake_clock.ts';

function linger() {
  const clock = new FakeClock();
  const seen = { bytes: 0, ended: 0 };
  const subject = new Linger(
    clock,
    () => seen.bytes,
    () => seen.ended++,
  );
  return { clock, seen, subject };
}

test('an upload is read on while it moves, and no longer', () => {
  const { clock, seen } = linger();
  for (let second = 0; second < 5; second++) {
    seen.bytes++;
    clock.advance(2_000);
  }
  assert.equal(seen.ended, 0);
  clock.advance(2_000);
  assert.equal(seen.ended, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('no upload is read for longer than half a minute', () => {
  const { clock, seen } = linger();
  for (let step = 0; step < 20; step++) {
    seen.bytes++;
    clock.advance(2_000);
  }
  assert.deepEqual([seen.ended, clock.pendingTimers], [1, 0]);
});

test('a closed connection is not waited for', () => {
  const { clock, seen, subject } = linger();
  subject.stop();
  clock.advance(60_000);
  assert.deepEqual([seen.ended, clock.pendingTimers], [0, 0]);
});
