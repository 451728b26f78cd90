import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prober } from '../../src/health/active.ts';
import { EndpointHealth } from '../../src/health/state.ts';
import { FakeClock } from '../support/fake_clock.ts';

const settings = {
  probe: { kind: 'tcp' as const },
  intervalMs: 10_000,
  timeoutMs: 500,
  healthyAfter: 2,
  unhealthyAfter: 2,
};
const middle = { unit: () => 0.5, requestId: () => '' }; // no jitter

function prober(answers: (number: number) => boolean) {
  const clock = new FakeClock();
  const health = new EndpointHealth(settings, clock.nowMs());
  let probes = 0;
  const open = (
    callback: (failure: { kind: 'connect_refused'; code: string } | null, socket: null) => void,
  ) => {
    probes++;
    if (answers(probes)) queueMicrotask(() => {});
    callback(answers(probes) ? null : { kind: 'connect_refused', code: 'ECONNREFUSED' }, null);
    return () => {};
  };
  const subject = new Prober(settings, { open: open as never, authority: 'a' }, health, clock, middle);
  return { clock, health, subject, count: () => probes };
}

test('the first probe is made at once, failures are looked at again soon, and a dead one ever more seldom', () => {
  const { clock, health, subject, count } = prober(() => false);
  subject.start();
  assert.equal(count(), 1);
  clock.advance(2_000);
  assert.deepEqual([count(), health.state], [2, 'unhealthy'], 'sooner than the interval while it changes');
  clock.advance(10_000);
  assert.equal(count(), 3);
  clock.advance(20_000);
  assert.equal(count(), 4, 'the pause has doubled');
  clock.advance(29_999);
  assert.equal(count(), 4);
  clock.advance(1);
  assert.equal(count(), 5, 'and is 30 s at most');
  subject.dispose();
  assert.equal(clock.pendingTimers, 0);
});
