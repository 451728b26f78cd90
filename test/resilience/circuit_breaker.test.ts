import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitBreaker, type Outcome } from '../../src/resilience/circuit_breaker.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const settings = { failureRatio: 0.5, requestsMin: 4, windowMs: 10_000, openMs: 1_000 };

/** The middle of the range. */
const NO_JITTER = { ...seededRandom(1), unit: () => 0.5 };

function breaker() {
  const clock = new FakeClock();
  const changes: string[] = [];
  const circuit = new CircuitBreaker(settings, clock, NO_JITTER, (from, to) =>
    changes.push(`${from} ${to.kind}`),
  );
  const send = (outcome: Outcome): void => {
    const permit = circuit.admit();
    assert(permit !== 'refused');
    circuit.settle(permit, outcome, 'status 500');
  };
  return { clock, circuit, changes, send };
}

test('it opens at the ratio, not before there are enough requests', () => {
  const { circuit, send } = breaker();
  send('failure');
  send('failure');
  send('failure');
  assert.equal(circuit.state.kind, 'closed', 'three requests say nothing');
  send('success');
  send('failure');
  assert.equal(circuit.state.kind, 'open', 'four of five failed');
  assert.equal(circuit.admit(), 'refused');
  assert.equal(circuit.retryAfterMs, 1_000);
});

test('failures that are older than the window are forgotten', () => {
  const { clock, circuit, send } = breaker();
  send('failure');
  send('failure');
  send('failure');
  clock.advance(10_001);
  send('failure');
  assert.equal(circuit.state.kind, 'closed');
});

test('one probe at a time, and each failed one doubles the pause up to a minute', () => {
  const { clock, circuit, send } = breaker();
  for (let count = 0; count < 4; count++) send('failure');
  let waitMs = 1_000;
  for (let round = 0; round < 8; round++) {
    clock.advance(waitMs - 1);
    assert.equal(circuit.admit(), 'refused', '1 ms before the pause is over');
    clock.advance(1);
    const probe = circuit.admit();
    assert(probe !== 'refused');
    assert.equal(circuit.admit(), 'refused', 'a second request while the probe is out');
    circuit.settle(probe, 'failure', 'status 500');
    waitMs = Math.min(2 * waitMs, 60_000);
  }
});

test('a successful probe closes the circuit with a clean record; an abandoned one lets the next request probe', () => {
  const { clock, circuit, changes, send } = breaker();
  for (let count = 0; count < 4; count++) send('failure');
  clock.advance(1_000);
  const abandoned = circuit.admit();
  assert(abandoned !== 'refused');
  circuit.settle(abandoned, 'abandoned', 'status 500');
  send('success');
  assert.equal(circuit.state.kind, 'closed');
  send('failure');
  assert.equal(circuit.state.kind, 'closed', 'the old failures are gone');
  assert.deepEqual(changes, [
    'closed open',
    'open probing',
    'probing open',
    'open probing',
    'probing closed',
  ]);
});

test('an answer to a question of an earlier state changes nothing', () => {
  const { circuit, send } = breaker();
  const slow = circuit.admit();
  assert(slow !== 'refused');
  for (let count = 0; count < 4; count++) send('failure');
  circuit.settle(slow, 'success', 'status 500');
  assert.equal(circuit.state.kind, 'open');
});

test('a success never opens it, whatever the ratio', () => {
  const { circuit, send } = breaker();
  for (let count = 0; count < 3; count++) send('failure');
  for (let count = 0; count < 3; count++) send('success');
  assert.equal(circuit.state.kind, 'closed');
  send('failure');
  assert.equal(circuit.state.kind, 'open', 'four of seven failed');
});

test('clients who leave do not count in a closed circuit', () => {
  const { circuit, send } = breaker();
  for (let count = 0; count < 3; count++) send('failure');
  for (let count = 0; count < 100; count++) send('abandoned');
  assert.equal(circuit.state.kind, 'closed');
  send('failure');
  assert.equal(circuit.state.kind, 'open', 'nor do they make the others fewer');
});

test('the window slides: old failures go out a few at a time', () => {
  const { clock, circuit, send } = breaker();
  for (let count = 0; count < 3; count++) {
    send('failure');
    clock.advance(4_000);
  }
  send('failure');
  assert.equal(circuit.state.kind, 'closed', 'the first failure is 12 s old');
  send('failure');
  assert.equal(circuit.state.kind, 'open');
});

test('a first pause of more than a minute does not become shorter', () => {
  const clock = new FakeClock();
  const circuit = new CircuitBreaker(
    { ...settings, requestsMin: 1, openMs: 300_000 },
    clock,
    NO_JITTER,
    () => {},
  );
  const first = circuit.admit();
  assert(first !== 'refused');
  circuit.settle(first, 'failure', 'status 500');
  clock.advance(300_000);
  const probe = circuit.admit();
  assert(probe !== 'refused');
  assert.equal(circuit.retryAfterMs, 300_000, 'while the probe is out');
  circuit.settle(probe, 'failure', 'status 500');
  assert.equal(circuit.retryAfterMs, 300_000);
});

test('asking whether it would admit does not use up the probe', () => {
  const { clock, circuit, send } = breaker();
  for (let count = 0; count < 4; count++) send('failure');
  assert.equal(circuit.wouldAdmit, false);
  clock.advance(1_000);
  assert.deepEqual([circuit.wouldAdmit, circuit.wouldAdmit, circuit.state.kind], [true, true, 'open']);
  assert.notEqual(circuit.admit(), 'refused');
  assert.equal(circuit.wouldAdmit, false);
});

test('failures from before it opened do not count after it has closed', () => {
  const { clock, circuit, send } = breaker();
  for (let count = 0; count < 4; count++) send('failure');
  clock.advance(1_000);
  send('success');
  for (let count = 0; count < 3; count++) send('success');
  send('failure');
  assert.equal(circuit.state.kind, 'closed', 'one of four');
});

test('a success that was sent before the circuit opened does not close it while its probe is out', () => {
  const { clock, circuit, send } = breaker();
  const slow = circuit.admit();
  assert(slow !== 'refused');
  for (let count = 0; count < 4; count++) send('failure');
  clock.advance(1_000);
  const probe = circuit.admit();
  assert(probe !== 'refused');
  circuit.settle(slow, 'success', 'status 200');
  assert.equal(circuit.state.kind, 'probing', 'the slow answer belongs to the closed state');
  assert.deepEqual([circuit.isProbe(slow), circuit.isProbe(probe)], [false, true]);
});

test('a probe without a result is followed by another one', () => {
  const { clock, circuit, send } = breaker();
  for (let count = 0; count < 4; count++) send('failure');
  clock.advance(1_000);
  const silent = circuit.admit();
  assert(silent !== 'refused');
  clock.advance(999);
  assert.deepEqual([circuit.admit(), circuit.retryAfterMs], ['refused', 1]);
  clock.advance(1);
  const next = circuit.admit();
  assert(next !== 'refused');
  circuit.settle(silent, 'failure', 'status 500');
  assert.equal(circuit.state.kind, 'probing', 'the silent one is late, whatever it says');
  circuit.settle(next, 'success', 'status 200');
  assert.equal(circuit.state.kind, 'closed');
});

test('a circuit that depends on others stays closed while they work', () => {
  const { circuit, send } = breaker();
  let othersWork = true;
  circuit.openOnlyIf(() => !othersWork);
  for (let count = 0; count < 10; count++) send('failure');
  assert.deepEqual([circuit.state.kind, circuit.isFailing], ['closed', true]);
  othersWork = false;
  send('failure');
  assert.equal(circuit.state.kind, 'open');
});
