import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ejectedMax, PassiveHealth } from '../../src/health/passive.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import { FakeClock } from '../support/fake_clock.ts';

function passive(mayEject = true) {
  const clock = new FakeClock();
  const health = new EndpointHealth(null, clock.nowMs());
  const subject = new PassiveHealth(
    { consecutiveFailures: 3, ejectMs: 1_000, ejectedRatioMax: 0.5 },
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

test('where no more may be out, none is', () => {
  const { health, fail } = passive(false);
  fail(10);
  assert.equal(health.isEjected, false);
});

test('never the only one, always one of several', () => {
  assert.deepEqual(
    [ejectedMax(1, 1), ejectedMax(2, 0.1), ejectedMax(10, 0.5), ejectedMax(3, 0.5)],
    [0, 1, 5, 1],
  );
});
