import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestTimer } from '../../src/resilience/timeouts.ts';
import { FakeClock } from '../support/fake_clock.ts';

function timer() {
  const clock = new FakeClock();
  const fired: string[] = [];
  const timer = new RequestTimer(clock, { onTimeout: (name, afterMs) => fired.push(`${name} ${afterMs}`) });
  return { clock, fired, timer };
}

test('the timeout that is due first fires, with its name and its value', () => {
  const { clock, fired, timer: subject } = timer();
  subject.startRequest(1_000);
  subject.startTry(500);
  subject.startPhase('responseHead', 300);
  clock.advance(299);
  assert.deepEqual(fired, []);
  clock.advance(1);
  assert.deepEqual(fired, ['responseHead 300']);
  clock.advance(700);
  assert.deepEqual(
    fired,
    ['responseHead 300', 'request 1000'],
    'the attempt is over with its phase; the request is not',
  );
});

test('progress puts an idle timeout off', () => {
  const { clock, fired, timer: subject } = timer();
  subject.startPhase('responseIdle', 100);
  for (let count = 0; count < 10; count++) {
    clock.advance(99);
    subject.touch();
  }
  assert.deepEqual(fired, []);
  clock.advance(100);
  assert.deepEqual(fired, ['responseIdle 100']);
});

test('off is never, and stopping leaves no timer', () => {
  const { clock, fired, timer: subject } = timer();
  subject.startRequest(null);
  subject.startPhase('bodyIdle', null);
  clock.advance(1e9);
  subject.startRequest(10);
  subject.stop();
  assert.equal(clock.pendingTimers, 0);
  clock.advance(1e9);
  assert.deepEqual(fired, []);
});

test('100,000 requests leave no timer behind', () => {
  const clock = new FakeClock();
  for (let count = 0; count < 100_000; count++) {
    const subject = new RequestTimer(clock, { onTimeout: () => assert.fail('nothing is due') });
    subject.startRequest(60_000);
    subject.startPhase('responseHead', 30_000);
    subject.stop();
  }
  assert.equal(clock.pendingTimers, 0);
});
