// A health check that asks for the wrong thing is itself worth a line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Disagreement, type DisagreementChange } from '../../src/health/disagreement.ts';

function watch() {
  const changes: DisagreementChange[] = [];
  const subject = new Disagreement(change => changes.push(change));
  const requests = (count: number, outcome: 'success' | 'failure' | 'abandoned', nowMs: number) => {
    for (let at = 0; at < count; at++) subject.record(outcome, nowMs);
  };
  return { subject, changes, requests };
}

test('a probe that succeeds while most requests fail begins an episode, said once', () => {
  const { subject, changes, requests } = watch();
  requests(4, 'success', 1_000);
  requests(8, 'failure', 1_000);
  subject.onProbe(true, 'status 200', false, 1_500);
  subject.onProbe(true, 'status 200', false, 2_500);
  assert.deepEqual(changes, [
    { disagree: true, probe: 'status 200', traffic: '8 of 12 requests of the last 10 s failed' },
  ]);
  assert.equal(subject.isOpen, true);
});

test('few requests, half of them failing, and clients who leave are no disagreement', () => {
  const { subject, changes, requests } = watch();
  requests(9, 'failure', 1_000);
  requests(50, 'abandoned', 1_000);
  subject.onProbe(true, 'status 200', false, 1_500);
  requests(9, 'success', 1_600);
  subject.onProbe(true, 'status 200', false, 1_700);
  assert.deepEqual(changes, []);
});

test('an ejection by traffic disagrees at once; it is over when requests succeed, or when the probe fails too', () => {
  const { subject, changes } = watch();
  subject.onProbe(true, 'status 200', true, 1_000);
  subject.onProbe(true, 'status 200', false, 20_000);
  subject.onProbe(true, 'status 200', true, 30_000);
  subject.onProbe(false, 'status 500', true, 31_000);
  assert.deepEqual(
    changes.map(({ disagree }) => disagree),
    [true, false, true, false],
  );
});
