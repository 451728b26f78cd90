import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThrottledLog } from '../../../src/net/listen/throttled_log.ts';
import { FakeClock } from '../../support/fake_clock.ts';

function throttled() {
  const clock = new FakeClock();
  const said: string[] = [];
  const subject = new ThrottledLog<string>(clock, (key, count) => said.push(`${key} ${count}`));
  return { clock, said, subject };
}

test('a flood is one line at once and one line a second, and the numbers add up', () => {
  const { clock, said, subject } = throttled();
  for (let count = 0; count < 1_000; count++) subject.add('reset');
  assert.deepEqual(said, ['reset 1']);
  clock.advance(999);
  assert.equal(said.length, 1);
  clock.advance(1);
  assert.deepEqual(said, ['reset 1', 'reset 999']);
});

test('a flood that continues is logged every second, and the first event after a quiet second at once', () => {
  const { clock, said, subject } = throttled();
  subject.add('reset');
  subject.add('reset');
  clock.advance(1_000);
  subject.add('reset');
  assert.equal(said.length, 2, 'told a moment ago');
  clock.advance(2_000);
  subject.add('reset');
  assert.deepEqual(said, ['reset 1', 'reset 1', 'reset 1', 'reset 1']);
});

test('one thing does not silence another', () => {
  const { said, subject } = throttled();
  subject.add('reset');
  subject.add('refused');
  assert.deepEqual(said, ['reset 1', 'refused 1']);
});

test('when nothing more happens no timer is left, and nothing is remembered', () => {
  const { clock, said, subject } = throttled();
  subject.add('reset');
  clock.advance(60_000);
  assert.deepEqual([said.length, clock.pendingTimers], [1, 0]);
});
