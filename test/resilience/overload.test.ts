// A process that has too much to do refuses some of it early, and stops refusing by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overload, type OverloadChange } from '../../src/resilience/overload.ts';
import { seededRandom } from '../support/seeded_random.ts';

function overload(eventLoopDelayMs: number | null = 200, heapRatio: number | null = 0.9) {
  const changes: OverloadChange[] = [];
  const subject = new Overload({ eventLoopDelayMs, heapRatio }, change => changes.push(change));
  const random = seededRandom(3);
  const shareRefused = () =>
    Array.from({ length: 1_000 }, () => subject.refusal(random)).filter(signal => signal !== null).length /
    1_000;
  const sample = (times: number, delayMs: number, heap = 0.2) => {
    for (let count = 0; count < times; count++) subject.sample(delayMs, heap);
  };
  return { subject, changes, shareRefused, sample };
}

test('one pause is no overload, a loop that stays late is one', () => {
  const { subject, changes, shareRefused, sample } = overload();
  sample(1, 60_000); // a machine that stood still for a minute
  sample(3, 0);
  assert.deepEqual([subject.active, changes], [null, []]);
  sample(20, 300);
  assert.deepEqual([subject.active, changes.length], ['event_loop', 1]);
  assert.ok(
    Math.abs(shareRefused() - 0.5) < 0.06,
    'half-way to twice the bound half of the requests are refused',
  );
  sample(20, 900);
  assert.equal(shareRefused(), 1);
});

test('it is over well below the bound, and says so once', () => {
  const { subject, changes, shareRefused, sample } = overload();
  sample(30, 400);
  sample(30, 180);
  assert.deepEqual([subject.active, shareRefused()], ['event_loop', 0], 'below the bound nobody is refused');
  sample(30, 100);
  assert.equal(subject.active, null);
  assert.deepEqual(
    changes.map(({ state, signal }) => `${state} ${signal}`),
    ['shedding event_loop', 'normal event_loop'],
  );
});

test('a full heap refuses all new requests at once, so that those in flight can finish', () => {
  const { subject, changes, shareRefused, sample } = overload();
  sample(1, 0, 0.95);
  assert.equal(subject.active, 'heap');
  assert.ok(Math.abs(shareRefused() - 0.5) < 0.06);
  sample(1, 0, 0.5);
  assert.deepEqual([subject.active, changes.length], [null, 2]);
});

test('a signal that is off never refuses', () => {
  const { subject, sample } = overload(null, null);
  sample(50, 10_000, 1);
  assert.equal(subject.active, null);
});
