import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempt, type AttemptOwner } from '../../src/http/attempt.ts';
import type { Backend } from '../../src/load_balancer/backend.ts';
import { Lease } from '../../src/load_balancer/lease.ts';
import type { UpstreamSlot } from '../../src/net/upstream.ts';
import { FakeClock } from '../support/fake_clock.ts';

/** An attempt on a leased slot, and what has become of the slot. */
function leased({ wanted = true } = {}) {
  const clock = new FakeClock();
  const slotEvents: string[] = [];
  const owner: AttemptOwner = {
    onLeased() {},
    onConnected() {},
    onInformation() {},
    onHead: () => wanted,
    onSwitched() {},
    onData: () => true,
    onEnd() {},
    onAttemptFailed() {},
    onDefect(error) {
      throw error;
    },
  };
  const slot: UpstreamSlot = {
    send() {},
    resume() {},
    abort: () => slotEvents.push('aborted'),
    openSocket() {},
  };
  const backend = {
    name: 'a',
    label: 'a',
    inFlight: 1,
    load: { inFlight: 1 },
    health: { noteError() {} },
    circuit: null,
    disagreement: null,
    passive: null,
    upstream: { release: () => slotEvents.push('released') },
    capacity: { notify() {} },
  } as unknown as Backend;
  const attempt = new Attempt([], true, owner, clock);
  attempt.onLease(new Lease({ mayEject: () => false, clock }, backend, slot, null), 0);
  return { attempt, clock, slotEvents };
}

test('a kept connection that is closed within a second had been closed before; later the request was lost', () => {
  for (const [afterMs, stale] of [
    [999, true],
    [1_000, false],
  ] as const) {
    const { attempt, clock } = leased();
    attempt.onConnected(true, 0);
    clock.advance(afterMs);
    attempt.onError({ kind: 'reset_before_head', code: 'ECONNRESET' });
    assert.equal(attempt.stale, stale, `after ${afterMs} ms`);
  }
});

test('a response that is not wanted costs its connection after a second, whatever the request still does', () => {
  const { attempt, clock, slotEvents } = leased({ wanted: false });
  attempt.onConnected(false, 1);
  attempt.onHead(503, '', [], false);
  clock.advance(999);
  assert.deepEqual(slotEvents, []);
  clock.advance(1);
  assert.deepEqual(slotEvents, ['aborted', 'released']);
  assert.equal(clock.pendingTimers, 0);
});

test('an unwanted answer that ends in time gives its connection back, and no timer stays', () => {
  const { attempt, clock, slotEvents } = leased({ wanted: false });
  attempt.onConnected(false, 1);
  attempt.onHead(503, '', [], false);
  attempt.onEnd(null);
  assert.deepEqual([slotEvents, clock.pendingTimers], [['released'], 0]);
});
