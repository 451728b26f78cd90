import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ejectedMax, PassiveHealth } from '../../src/health/passive.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import { FakeClock } from '../support/fake_clock.ts';

function passive(mayEject = true) {
  const clock = new FakeClock();
  const health = new EndpointHealth(null, clock.nowMs());
  const subject = new PassiveHealth(
    { consecutiveFailures: 3, failureShare: null, ejectMs: 1_000, ejectedRatioMax: 0.5 },
    health,
    clock,
  );
  const fail = (count: number): void => {
    for (let at = 0; at < count; at++) subject.record('failure', 'status 500', () => mayEject);
  };
  return { clock, health, subject, fail };
}

test('failures in a row eject, longer each time, and time readmits', () => {
  const { clock, health, fail } = passive();
  for (const [round, ms] of [
    [1, 1_000],
    [2, 2_000],
    [3, 3_000],
  ] as const) {
    fail(3);
    assert.equal(health.isEjected, true, `round ${round}`);
    clock.advance(ms - 1);
    assert.equal(health.isEjected, true);
    clock.advance(1);
    assert.equal(health.isEjected, false);
  }
});

test('a success starts the count again, and a client that leaves says nothing', () => {
  const { health, subject, fail } = passive();
  fail(2);
  subject.record('abandoned', 'client_gone', () => true);
  subject.record('success', '200', () => true);
  fail(2);
  assert.equal(health.isEjected, false);
});

test('no endpoint is ejected beyond the share that may be out', () => {
  const { health, fail } = passive(false);
  fail(10);
  assert.equal(health.isEjected, false);
});

test('never the only one, always one of several', () => {
  assert.deepEqual(
    [ejectedMax(1, 1), ejectedMax(2, 0.1), ejectedMax(10, 0.5), ejectedMax(3, 0.5)],
    [0, 1, 5, 1],
  );
  assert.equal(ejectedMax(100, 0.29), 29, 'though 0.29 * 100 is a little less');
});

test('failures of requests in flight do not count against an ejected endpoint', () => {
  const { clock, health, fail } = passive();
  fail(3);
  fail(50);
  clock.advance(1_000);
  assert.equal(health.isEligible, true);
  fail(2);
  assert.equal(health.isEjected, false, 'back in rotation it begins with a clean record');
  fail(1);
  assert.equal(health.isEjected, true);
});

test('an endpoint that probes have taken out is not ejected on top', () => {
  const clock = new FakeClock();
  const health = new EndpointHealth({ healthyAfter: 1, unhealthyAfter: 1 }, clock.nowMs());
  const subject = new PassiveHealth(
    { consecutiveFailures: 1, failureShare: null, ejectMs: 1_000, ejectedRatioMax: 1 },
    health,
    clock,
  );
  health.onProbe(false, '500', clock.nowMs());
  subject.record('failure', 'status 500', () => true);
  assert.deepEqual([health.state, health.isEjected], ['unhealthy', false]);
});

test('time in rotation forgives repetitions, one for each base time', () => {
  const { clock, health, fail } = passive();
  const ejectFor = (): number => {
    fail(3);
    let forMs = 0;
    for (; health.isEjected; forMs += 500) clock.advance(500);
    return forMs;
  };
  assert.deepEqual([ejectFor(), ejectFor(), ejectFor()], [1_000, 2_000, 3_000]);
  clock.advance(2_000);
  assert.equal(ejectFor(), 2_000, 'two of three are forgiven, and this is one more');
  clock.advance(3_600_000);
  assert.equal(ejectFor(), 1_000);
});

test('no ejection is longer than five minutes, unless the configured time is', () => {
  for (const [ejectMs, longestMs] of [
    [60_000, 300_000],
    [400_000, 400_000],
  ] as const) {
    const clock = new FakeClock();
    const health = new EndpointHealth(null, clock.nowMs());
    const subject = new PassiveHealth(
      { consecutiveFailures: 1, failureShare: null, ejectMs, ejectedRatioMax: 1 },
      health,
      clock,
    );
    const times: number[] = [];
    for (let round = 0; round < 7; round++) {
      subject.record('failure', 'x', () => true);
      const startedAtMs = clock.nowMs();
      while (health.isEjected) clock.advance(10_000);
      times.push(clock.nowMs() - startedAtMs);
    }
    const expected = [1, 2, 3, 4, 5, 6, 7].map(round =>
      Math.max(ejectMs, Math.min(round * ejectMs, longestMs)),
    );
    assert.deepEqual(times, expected);
    assert.equal(subject.ejections, 7);
  }
});

test('a second ejection has its whole time, though a probe lifted the first one early', () => {
  const { clock, health, fail } = passive();
  fail(3);
  clock.advance(500);
  health.onProbe(true, '200', clock.nowMs());
  fail(3);
  clock.advance(1_999);
  assert.equal(health.isEjected, true, 'the timer of the first one is gone');
  clock.advance(1);
  assert.equal(health.isEjected, false);
  assert.equal(clock.pendingTimers, 0);
});

test('one that is disposed of leaves no timer', () => {
  const { clock, subject, fail } = passive();
  fail(3);
  assert.equal(clock.pendingTimers, 1);
  subject.dispose();
  assert.equal(clock.pendingTimers, 0);
});

test('a share of failures ejects, however they are mixed with successes, if there are enough requests', () => {
  const clock = new FakeClock();
  const health = new EndpointHealth(null, clock.nowMs());
  const failureShare = { ratio: 0.5, requestsMin: 10, windowMs: 10_000 };
  const subject = new PassiveHealth(
    { consecutiveFailures: 100, failureShare, ejectMs: 1_000, ejectedRatioMax: 0.5 },
    health,
    clock,
  );
  const mixed = (pairs: number): void => {
    for (let at = 0; at < pairs; at++) {
      subject.record('success', '200', () => true);
      subject.record('failure', 'status 500', () => true);
    }
  };
  mixed(4);
  assert.equal(health.isEjected, false, 'eight say nothing');
  clock.advance(11_000);
  mixed(4);
  assert.equal(health.isEjected, false, 'those before are forgotten');
  mixed(1);
  assert.equal(health.isEjected, true);
  assert.match(String(health.lastError), /5 of 10 requests failed, most recently status 500/);
  clock.advance(1_000);
  subject.record('failure', 'status 500', () => true);
  assert.equal(health.isEjected, false, 'the count begins anew');
});

test('an endpoint that fails requests and answers probes is not in and out for ever', () => {
  const { clock, health, fail } = passive();
  let outs = 0;
  for (let second = 0; second < 3_600; second++) {
    if (health.isEligible) {
      fail(3);
      outs++;
    }
    clock.advance(1_000);
    health.onProbe(true, '200', clock.nowMs());
  }
  // A probe ends the first one after 1 s; then 2 s, 3 s and so on: 2 + ... + 84 is an hour, but for some seconds.
  assert.equal(outs, 85, 'one for each, and the last one is still on');
});

test('an endpoint that was readmitted early is not readmitted again by the timer', () => {
  const { clock, health, subject, fail } = passive();
  fail(3);
  subject.readmit();
  assert.deepEqual([health.isEjected, clock.pendingTimers], [false, 0]);
});
