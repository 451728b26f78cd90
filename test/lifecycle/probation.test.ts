// A reload that makes things fail is undone, one that does not is kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Probation } from '../../src/lifecycle/probation.ts';
import { FakeClock } from '../support/fake_clock.ts';

const SETTINGS = { windowMs: 10_000, failureRatioMax: 0.2, requestsMin: 10 };

function probation(before = { finished: 0, failed: 0 }) {
  const clock = new FakeClock();
  const counts = { finished: 1_000, failed: 900 };
  const verdicts: string[] = [];
  const subject = new Probation(
    counts,
    () => before,
    clock,
    why => verdicts.push(why),
  );
  const pass = (finished: number, failed: number): void => {
    counts.finished += finished;
    counts.failed += failed;
    clock.advance(250);
  };
  return { clock, subject, verdicts, pass };
}

test('too many failures of enough requests, once; what was before does not count', () => {
  const { subject, verdicts, pass, clock } = probation();
  subject.begin(SETTINGS);
  pass(9, 9);
  assert.deepEqual(verdicts, [], 'nine say nothing');
  pass(11, 0);
  pass(100, 100);
  assert.deepEqual(verdicts, ['9 of 20 requests failed after the reload']);
  assert.equal(clock.pendingTimers, 0);
});

test('after its time nothing is undone; without settings, or when it is ended, nothing is watched', () => {
  const { clock, subject, verdicts, pass } = probation();
  subject.begin(SETTINGS);
  pass(100, 20);
  clock.advance(10_000);
  pass(100, 100);
  subject.begin(null);
  pass(100, 100);
  subject.begin(SETTINGS);
  subject.end();
  pass(100, 100);
  assert.deepEqual([verdicts, clock.pendingTimers], [[], 0]);
});

test('failures from before the reload are not its fault; failures beyond them are', () => {
  const same = probation({ finished: 600, failed: 300 });
  same.subject.begin(SETTINGS);
  same.pass(1_000, 560);
  assert.deepEqual(same.verdicts, [], 'about half failed before');
  same.pass(1_000, 900);
  assert.deepEqual(same.verdicts, ['1460 of 2000 requests failed after the reload (300 of 600 before it)']);

  const nearlyAll = probation({ finished: 200, failed: 190 });
  nearlyAll.subject.begin(SETTINGS);
  nearlyAll.pass(20, 20);
  assert.deepEqual(nearlyAll.verdicts, [], 'twenty of twenty is chance, where 95 of 100 failed before');
  nearlyAll.subject.end();

  const well = probation({ finished: 10_000, failed: 10 });
  well.subject.begin(SETTINGS);
  well.pass(100, 30);
  assert.equal(well.verdicts.length, 1);
});
