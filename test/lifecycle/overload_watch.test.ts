// The samples are what they say: how late a timer is, and how full the heap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OverloadWatch } from '../../src/lifecycle/overload_watch.ts';
import { Overload } from '../../src/resilience/overload.ts';
import { FakeClock } from '../support/fake_clock.ts';

class Recorder extends Overload {
  readonly samples: [delayMs: number, heapRatio: number][] = [];
  constructor() {
    super({ eventLoopDelayMs: null, heapRatio: null }, () => {});
  }
  override sample(delayMs: number, heapRatio: number): void {
    this.samples.push([delayMs, heapRatio]);
  }
}

test('a sample every 100 ms has its lateness, and the next one is counted from there', () => {
  const clock = new FakeClock();
  const recorder = new Recorder();
  const watch = new OverloadWatch(recorder, clock, () => 0.5);
  clock.advance(200);
  clock.stall(350);
  clock.advance(0);
  clock.advance(100);
  assert.deepEqual(
    recorder.samples.map(([delayMs]) => delayMs),
    [0, 0, 250, 0],
  );
  watch.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('what a reload takes is not counted as the lateness of traffic, what comes on top of it is', () => {
  const clock = new FakeClock();
  const recorder = new Recorder();
  const watch = new OverloadWatch(recorder, clock, () => 0.5);
  assert.equal(
    watch.ownWork(() => clock.stall(1_500) ?? 'done'),
    'done',
  );
  clock.stall(250); // 100 of these until it is due
  clock.advance(0);
  clock.stall(350);
  clock.advance(0);
  assert.deepEqual(
    recorder.samples.map(([delayMs]) => delayMs),
    [150, 250],
  );
  watch.dispose();
});

test('the heap is that of this process', () => {
  const clock = new FakeClock();
  const recorder = new Recorder();
  const watch = new OverloadWatch(recorder, clock);
  clock.advance(100);
  const ratio = recorder.samples[0]?.[1] ?? 0;
  assert.ok(ratio > 0 && ratio < 1, `${ratio}`);
  watch.dispose();
});
