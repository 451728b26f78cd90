import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type DelayWindow, EventLoopDelay } from '../../src/observability/event_loop_delay.ts';

/** What Node measures while nothing is late: the interval of its timer. */
const ON_TIME_NS = 10e6;

class FakeWindow implements DelayWindow {
  samples: number[] = [];
  get count(): number {
    return this.samples.length;
  }
  percentile(percentile: number): number {
    const sorted = this.samples.toSorted((a, b) => a - b);
    return sorted[Math.ceil((sorted.length * percentile) / 100) - 1] ?? 0;
  }
  reset(): void {
    this.samples = [];
  }
}

/** A minute has 6,000 samples; `take` gives each window the same ones, as Node does. */
function fakeLoop() {
  const windows: FakeWindow[] = [];
  const delay = new EventLoopDelay(() => {
    const window = new FakeWindow();
    windows.push(window);
    return window;
  });
  const take = (samples: number, lateNs = 0) => {
    for (const window of windows)
      window.samples.push(...new Array<number>(samples).fill(ON_TIME_NS + lateNs));
  };
  return { delay, take };
}

test('two scrapers see the same delay, however soon one comes after the other', () => {
  const { delay, take } = fakeLoop();
  take(1_400);
  take(100, 200e6);
  assert.equal(delay.p99Seconds(), 0.2);
  assert.equal(delay.p99Seconds(), 0.2, 'the second one');
  take(1_500);
  assert.equal(delay.p99Seconds(), 0.2, 'and 15 seconds later');
});

test('a delay is seen for at least half a minute and forgotten after a minute', () => {
  const { delay, take } = fakeLoop();
  take(2_900);
  take(100, 200e6);
  assert.equal(delay.p99Seconds(), 0.2, 'at the first turn');
  take(1_500);
  assert.equal(delay.p99Seconds(), 0.2, '15 seconds later');
  take(1_500);
  assert.equal(delay.p99Seconds(), 0.2, '30 seconds later, at the second turn');
  take(1_500);
  assert.equal(delay.p99Seconds(), 0, '45 seconds later no window has it any more');
});

test('a scraper that comes every five minutes sees all five', () => {
  const { delay, take } = fakeLoop();
  take(29_000);
  take(1_000, 50e6);
  assert.equal(delay.p99Seconds(), 0.05);
  take(29_000);
  take(1_000, 70e6);
  assert.equal(delay.p99Seconds(), 0.07);
});

test('the time between two firings of the timer is not called a delay, nor is having no sample yet', () => {
  const { delay, take } = fakeLoop();
  assert.equal(delay.p99Seconds(), 0);
  take(100);
  assert.equal(delay.p99Seconds(), 0);
});

/** Real time: the figure is Node's own, taken by a timer. */
test('an event loop that is held up is late', async () => {
  const delay = new EventLoopDelay();
  await wait(30); // the first interval is not measured
  const endsAtMs = performance.now() + 200;
  while (performance.now() < endsAtMs);
  await wait(30);
  const busy = delay.p99Seconds();
  assert.ok(busy > 0.15 && busy < 1, `${busy} s while held up for 200 ms`);
});
