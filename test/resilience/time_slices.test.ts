import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAtOnce, runInSlices, type SlicedWork } from '../../src/resilience/time_slices.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('long work lets the event loop turn after 5 ms, and not before', async () => {
  const clock = new FakeClock();
  let steps = 0;
  function* work(): SlicedWork<string> {
    for (; steps < 12; steps++) {
      clock.advance(1);
      yield;
    }
    return 'done';
  }
  const seen: number[] = [];
  let isWatching = true;
  const look = () => {
    seen.push(steps);
    if (isWatching) setImmediate(look);
  };
  setImmediate(look);
  assert.equal(await runInSlices(work(), clock), 'done');
  isWatching = false;
  assert.deepEqual(seen, [4, 9]);
});

test('the same work can run at once', () => {
  function* work(): SlicedWork<number> {
    yield;
    return 7;
  }
  assert.equal(runAtOnce(work()), 7);
});

test('what the work throws reaches the one who waits for it', async () => {
  // biome-ignore lint/correctness/useYield: it throws first
  function* work(): SlicedWork<never> {
    throw new Error('broken');
  }
  await assert.rejects(runInSlices(work(), new FakeClock()), /broken/);
});
