import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterPermit } from '../../src/http/cluster_permit.ts';
import { CircuitBreaker } from '../../src/resilience/circuit_breaker.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { seededRandom } from '../support/seeded_random.ts';

const NO_JITTER = { ...seededRandom(1), unit: () => 0.5 };

function circuitOf(requestsMin: number) {
  const clock = new FakeClock();
  const settings = { failureRatio: 1, requestsMin, windowMs: 10_000, openMs: 1_000 };
  const circuit = new CircuitBreaker(settings, clock, NO_JITTER, () => {});
  const admit = () => {
    const permit = circuit.admit();
    assert.notEqual(permit, 'refused');
    return new ClusterPermit(circuit, permit as Exclude<typeof permit, 'refused'>);
  };
  return { clock, circuit, admit };
}

test('a request counts once in the circuit of its cluster, however often it is settled', () => {
  const { circuit, admit } = circuitOf(2);
  const permit = admit();
  permit.settle('failure', 'status 500');
  permit.settle('failure', 'status 500');
  assert.equal(circuit.state.kind, 'closed');
  admit().settle('failure', 'status 500');
  assert.equal(circuit.state.kind, 'open');
});

test('the head of a probe decides over an open circuit before its body has ended', () => {
  const { clock, circuit, admit } = circuitOf(1);
  admit().settle('failure', 'status 500');
  clock.advance(1_000);
  const probe = admit();
  probe.settleProbe(200);
  assert.equal(circuit.state.kind, 'closed');
});

test('the head of an ordinary request does not settle it: it may still break off', () => {
  const { circuit, admit } = circuitOf(1);
  const permit = admit();
  permit.settleProbe(200);
  permit.settle('failure', 'reset_in_body');
  assert.equal(circuit.state.kind, 'open');
});
