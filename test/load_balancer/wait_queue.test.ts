import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitQueue } from '../../src/load_balancer/wait_queue.ts';

interface Guest {
  readonly name: string;
  readonly tried: readonly string[];
}
const first = (name: string): Guest => ({ name, tried: [] });
const repeated = (name: string): Guest => ({ name, tried: ['x'] });
const always = () => true;
const never = () => false;

test('requests are served in order of arrival', () => {
  const queue = new WaitQueue<Guest>();
  assert.equal(queue.next(always), null);
  for (const [at, guest] of [first('a'), repeated('b'), first('c')].entries()) queue.add(guest, at);
  const order: string[] = [];
  for (let next = queue.next(always); next !== null; next = queue.next(always)) {
    order.push(next.name);
    queue.remove(next);
  }
  assert.deepEqual(order, ['a', 'b', 'c']);
  assert.equal(queue.size, 0);
});

test('a repeated attempt that declines is passed over and keeps its place', () => {
  const queue = new WaitQueue<Guest>();
  queue.add(repeated('a'), 0);
  queue.add(first('b'), 1);
  assert.equal(queue.next(never)?.name, 'b');
  assert.equal(queue.next(always)?.name, 'a');
});

test('a request that declines does not hold up a first attempt, and only a bounded number is asked', () => {
  const queue = new WaitQueue<Guest>();
  for (let count = 0; count < 1_000; count++) queue.add(repeated('r'), 0);
  queue.add(first('b'), 1);
  let asked = 0;
  const next = queue.next(() => {
    asked++;
    return false;
  });
  assert.deepEqual([next?.name, asked], ['b', 8]);
});

test('requests that have waited too long are taken out, oldest first', () => {
  const queue = new WaitQueue<Guest>();
  const guests = [first('a'), repeated('b'), first('c'), repeated('d')];
  for (const [at, guest] of guests.entries()) queue.add(guest, at);
  assert.equal(queue.oldestQueuedAtMs, 0);
  assert.deepEqual(
    queue.takeBefore(2).map(([{ name }, queuedAtMs]) => `${name} ${queuedAtMs}`),
    ['a 0', 'b 1'],
  );
  assert.deepEqual([queue.oldestQueuedAtMs, queue.size], [2, 2]);
  const [, , c, d] = guests;
  assert.deepEqual([c && queue.remove(c), d && queue.remove(d), c && queue.remove(c)], [2, 3, null]);
  assert.equal(queue.oldestQueuedAtMs, Number.POSITIVE_INFINITY);
});
