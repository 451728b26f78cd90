// A busy endpoint stays a busy one, whoever asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backend } from '../../src/load_balancer/backend.ts';
import { settleLease } from '../../src/load_balancer/lease.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { fakeBackend, fakePool } from './fake_cluster.ts';

test('what the pool of an older plan has in flight counts in that of the newer one, until it ends', () => {
  const clock = new FakeClock();
  const older = fakeBackend(0, clock, { slots: 2 });
  const newer = new Backend({ name: 'b0', label: 'b0', weight: 1, tier: 0 }, older);
  fakePool([older], clock).lease({
    tried: [],
    onRefused: ({ kind }) => assert.fail(kind),
    onLease: lease => {
      assert.deepEqual([newer.inFlight, newer.load.isWorthKeeping], [1, true]);
      settleLease(lease, 'success', '');
    },
  });
  assert.deepEqual([newer.inFlight, newer.load.isWorthKeeping], [0, false]);
});
