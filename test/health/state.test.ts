import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterProbe,
  allowsTraffic,
  EndpointHealth,
  type HealthFacts,
  type HealthThresholds,
} from '../../src/health/state.ts';
import { FakeClock } from '../support/fake_clock.ts';

const THRESHOLDS = { healthyAfter: 2, unhealthyAfter: 3 };

function health() {
  const changes: string[] = [];
  const subject = new EndpointHealth(THRESHOLDS, 0);
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
  assert.deepEqual([subject.changedAtMs, subject.lastError], [6, '500']);
});

test('an endpoint that was never reached serves until three probes have failed', () => {
  const { subject } = health();
  for (const ms of [1, 2]) subject.onProbe(false, 'connect_refused', ms);
  assert.equal(subject.isEligible, true);
  subject.onProbe(false, 'connect_refused', 3);
  assert.deepEqual([subject.state, subject.isEligible], ['unhealthy', false]);
});

test('answers that come and go do not make it flap', () => {
  const { subject, changes } = health();
  subject.onProbe(true, '200', 0);
  for (let ms = 1; ms < 100; ms++) subject.onProbe(ms % 3 !== 0, 'mixed', ms);
  assert.deepEqual(changes, ['unknown healthy']);
});

test('without active checks an endpoint is healthy from the start', () => {
  const subject = new EndpointHealth(null, 5);
  assert.deepEqual([subject.state, subject.isEligible, subject.isChanging], ['healthy', true, false]);
});

test('every verdict, number of contradictions and answer leads where the thresholds say', () => {
  const rows: readonly (readonly [
    HealthFacts['verdict'],
    number,
    boolean,
    HealthFacts['verdict'],
    number,
  ])[] = [
    ['unknown', 0, true, 'healthy', 0],
    ['unknown', 2, true, 'healthy', 0],
    ['unknown', 0, false, 'unknown', 1],
    ['unknown', 2, false, 'unhealthy', 0],
    ['healthy', 0, true, 'healthy', 0],
    ['healthy', 2, true, 'healthy', 0],
    ['healthy', 0, false, 'healthy', 1],
    ['healthy', 2, false, 'unhealthy', 0],
    ['unhealthy', 0, false, 'unhealthy', 0],
    ['unhealthy', 1, false, 'unhealthy', 0],
    ['unhealthy', 0, true, 'unhealthy', 1],
    ['unhealthy', 1, true, 'healthy', 0],
  ];
  for (const [verdict, against, ok, next, nextAgainst] of rows) {
    const facts = { verdict, against, ejectedAtMs: null, warmingAtMs: null };
    const expected = { verdict: next, against: nextAgainst, ejectedAtMs: null, warmingAtMs: null };
    assert.deepEqual(afterProbe(facts, ok, 0, THRESHOLDS), expected, `${verdict} ${against} ${ok}`);
  }
});

test('an ejection is lifted by a probe that was sent after it and succeeds, by no other', () => {
  const { subject, changes } = health();
  subject.onProbe(true, '200', 0);
  subject.eject('traffic', 10);
  assert.deepEqual([subject.state, subject.isEligible, subject.lastError], ['ejected', false, 'traffic']);
  subject.onProbe(true, '200', 11, 9);
  assert.equal(subject.state, 'ejected', 'that probe was on its way already');
  subject.onProbe(false, '500', 12, 11);
  assert.equal(subject.state, 'ejected');
  subject.onProbe(true, '200', 13, 12);
  assert.deepEqual(changes, ['unknown healthy', 'healthy ejected', 'ejected healthy']);
});

test('probes go on judging an ejected endpoint', () => {
  const { subject, changes } = health();
  subject.eject('traffic', 0);
  for (const ms of [1, 2, 3]) subject.onProbe(false, '500', ms);
  assert.deepEqual([subject.state, subject.verdict], ['ejected', 'unhealthy']);
  subject.readmit(4);
  assert.equal(subject.isEligible, false, 'its time is over, but probes say no');
  assert.deepEqual(changes, ['unknown ejected', 'ejected unhealthy']);
});

test('observers are not notified without a change', () => {
  const { subject, changes } = health();
  subject.readmit(1);
  subject.onProbe(false, '500', 2);
  assert.deepEqual([changes, subject.changedAtMs], [[], 0]);
});

test('an observer that has left is not notified, and none is after the disposal', () => {
  const subject = new EndpointHealth(null, 0);
  let heard = 0;
  const leave = subject.subscribe(() => heard++);
  subject.subscribe(() => heard++);
  leave();
  subject.eject('x', 1);
  assert.equal(heard, 1);
  subject.dispose();
  subject.readmit(2);
  assert.equal(heard, 1);
});

test('healthy, unknown and warming serve', () => {
  assert.deepEqual((['unknown', 'healthy', 'warming', 'unhealthy', 'ejected'] as const).map(allowsTraffic), [
    true,
    true,
    true,
    false,
    false,
  ]);
});

function slow(isAdded = false, thresholds: HealthThresholds | null = THRESHOLDS) {
  const clock = new FakeClock();
  const subject = new EndpointHealth(thresholds, clock.nowMs(), { windowMs: 10_000, clock, isAdded });
  const changes: string[] = [];
  subject.subscribe((from, to) => changes.push(`${from} ${to}`));
  const probes = (count: number, ok: boolean) => {
    for (let at = 0; at < count; at++) subject.onProbe(ok, 'x', clock.nowMs());
  };
  return { clock, subject, changes, probes };
}

test('at a start no endpoint warms up; a recovered one does, linearly from a tenth, and then is healthy', () => {
  const { clock, subject, changes, probes } = slow();
  probes(1, true);
  assert.equal(subject.slowStartShare(clock.nowMs()), 1);
  probes(3, false);
  probes(2, true);
  assert.equal(subject.state, 'warming');
  const slowStartShare = [0, 500, 2_000, 7_500].map(ms => {
    clock.advance(ms);
    return subject.slowStartShare(clock.nowMs());
  });
  assert.deepEqual(slowStartShare, [0.1, 0.1, 0.25, 1]);
  assert.deepEqual(changes, ['unknown healthy', 'healthy unhealthy', 'unhealthy warming', 'warming healthy']);
  assert.equal(clock.pendingTimers, 0);
});

test('an endpoint that fails during its slow start is out, and starts slowly again', () => {
  const { clock, subject, changes } = slow(false, null);
  subject.eject('traffic', clock.nowMs());
  subject.readmit(clock.nowMs());
  clock.advance(9_000);
  subject.eject('traffic', clock.nowMs());
  assert.equal(clock.pendingTimers, 0, 'the old slow start is forgotten');
  subject.readmit(clock.nowMs());
  assert.equal(subject.slowStartShare(clock.nowMs()), 0.1);
  assert.deepEqual(changes, ['healthy ejected', 'ejected warming', 'warming ejected', 'ejected warming']);
  subject.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('one that is added to a running cluster warms up from its first success on', () => {
  const { clock, subject, probes } = slow(true);
  clock.advance(5_000);
  assert.equal(subject.state, 'unknown');
  probes(1, true);
  assert.deepEqual([subject.state, subject.slowStartShare(clock.nowMs())], ['warming', 0.1]);
  assert.equal(slow(true, null).subject.state, 'warming', 'without probes at once');
});

test('an ejection that no single probe may lift is lifted by a recovery that probes have seen', () => {
  const { subject, changes } = health();
  subject.onProbe(true, '200', 0);
  subject.eject('traffic, again', 1, false);
  for (let ms = 2; ms < 50; ms++) subject.onProbe(true, '200', ms);
  assert.equal(subject.state, 'ejected', 'probes have seen nothing of it');
  for (const ms of [50, 51, 52]) subject.onProbe(false, '500', ms);
  subject.onProbe(true, '200', 53);
  assert.equal(subject.state, 'ejected');
  subject.onProbe(true, '200', 54);
  assert.deepEqual(changes, ['unknown healthy', 'healthy ejected', 'ejected healthy']);
});
