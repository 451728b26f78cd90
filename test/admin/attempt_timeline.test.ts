import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timelineOf } from '../../src/admin/attempt_timeline.ts';
import { attemptOf, decisionOf } from './decision.ts';

const timing = (queueMs: number) => ({ ...decisionOf().timing, queueMs });

test('an attempt waits for a connection, connects, waits for the first byte, and reads the body', () => {
  const attempts = [attemptOf({ startMs: 6, connectMs: 2, firstByteMs: 7, ms: 10 })];
  assert.deepEqual(timelineOf({ attempts, timing: timing(5) }), [
    [
      { phase: 'queue', startMs: 1, ms: 5 },
      { phase: 'connect', startMs: 6, ms: 2 },
      { phase: 'wait', startMs: 8, ms: 5 },
      { phase: 'body', startMs: 13, ms: 3 },
    ],
  ]);
});

test('an attempt that never connects has spent all of its time on it; one without a response waits to its end', () => {
  const attempts = [
    attemptOf({ connectMs: null, firstByteMs: null, ms: 10 }),
    attemptOf({ startMs: 20, connectMs: 0, firstByteMs: null, ms: 5 }),
  ];
  assert.deepEqual(timelineOf({ attempts, timing: timing(0) }), [
    [{ phase: 'connect', startMs: 0, ms: 10 }],
    [{ phase: 'wait', startMs: 20, ms: 5 }],
  ]);
});

test('the time in queues is put before the attempts where there is room for it, and never overlaps one', () => {
  const attempts = [
    attemptOf({ startMs: 3, connectMs: null, firstByteMs: null, ms: 7 }),
    attemptOf({ startMs: 30, connectMs: null, firstByteMs: null, ms: 1 }),
  ];
  const queues = timelineOf({ attempts, timing: timing(10) }).map(line => line[0]);
  assert.deepEqual(queues, [
    { phase: 'queue', startMs: 0, ms: 3 },
    { phase: 'queue', startMs: 23, ms: 7 },
  ]);
});
