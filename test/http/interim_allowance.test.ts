// A backend that sends interim responses without end does not flood its client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InterimAllowance } from '../../src/http/interim_allowance.ts';

test('sixteen interim responses pass at once, and then one a second', () => {
  const allowance = new InterimAllowance();
  const nowMs = 1_000_000;
  const burst = Array.from({ length: 17 }, () => allowance.take(nowMs));
  assert.deepEqual(burst, [...Array.from({ length: 16 }, () => true), false]);
  assert.equal(allowance.take(nowMs + 999), false, '1 ms before the next one is earned');
  assert.equal(allowance.take(nowMs + 1_000), true, 'those that did not pass do not count');
});

test('a heartbeat of one a second passes for as long as the request lasts', () => {
  const allowance = new InterimAllowance();
  for (let second = 0; second < 3_600; second++)
    assert.equal(allowance.take(1_000 * second), true, `second ${second}`);
});
