import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointHealth } from '../../src/health/state.ts';

function health() {
  const changes: string[] = [];
  const subject = new EndpointHealth({ healthyAfter: 2, unhealthyAfter: 3 }, 0);
  subject.subscribe((from, to) => changes.push(`${from} ${to}`));
  return { subject, changes };
}

test('unknown serves, the first success is enough to say healthy, and three failures take it out', () => {
  const { subject, changes } = health();
  assert.equal(subject.isEligible, true);
  subject.onProbe(true, '200', 1);
  for (const ms of [2, 3]) subject.onProbe(false, '500', ms);
  assert.equal(subject.state, 'healthy', 'two failures are not three');
  subject.onProbe(false, '500', 4);
  assert.equal(subject.isEligible, false);
  subject.onProbe(true, '200', 5);
  assert.equal(subject.state, 'unhealthy', 'one success is not two');
  subject.onProbe(true, '200', 6);
  assert.deepEqual(changes, ['unknown healthy', 'healthy unhealthy', 'unhealthy healthy']);
});

test('answers that come and go do not make it flap', () => {
  const { subject, changes } = health();
  subject.onProbe(true, '200', 0);
  for (let ms = 1; ms < 100; ms++) subject.onProbe(ms % 3 !== 0, 'mixed', ms);
  assert.deepEqual(changes, ['unknown healthy']);
});

test('an ejection is lifted by a successful probe', () => {
  const { subject } = health();
  subject.onProbe(true, '200', 0);
  subject.eject('traffic', 1);
  assert.deepEqual([subject.state, subject.isEligible], ['ejected', false]);
  subject.onProbe(true, '200', 2);
  assert.equal(subject.state, 'healthy');
});
