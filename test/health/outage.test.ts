import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outage } from '../../src/health/outage.ts';

test('the beginning of an outage is reported once, to the observers that are left', () => {
  const outage = new Outage();
  const heard: string[] = [];
  const stop = outage.subscribe(() => heard.push('first'));
  outage.subscribe(() => heard.push('second'));
  outage.become(true);
  outage.become(true);
  assert.deepEqual([outage.isDown, heard], [true, ['first', 'second']]);
  outage.become(false);
  stop();
  outage.become(true);
  assert.deepEqual(heard, ['first', 'second', 'second']);
  outage.dispose();
  outage.become(false);
  outage.become(true);
  assert.equal(heard.length, 3);
});
