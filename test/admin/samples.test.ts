// One sample a second, sixty of them, and no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Samples } from '../../src/admin/samples.ts';
import { ActiveRequests } from '../../src/http/active_requests.ts';
import { TunnelsPerClient } from '../../src/http/tunnels_per_client.ts';
import { TrafficStats } from '../../src/observability/traffic_stats.ts';
import { BufferAccount } from '../../src/resilience/buffer_account.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('each sample has what happened in its second, and how late it was', () => {
  const clock = new FakeClock();
  const traffic = {
    active: new ActiveRequests<never>(),
    tunnels: 2,
    tunnelsPerClient: new TunnelsPerClient(),
    buffers: new BufferAccount(null),
    finished: 5,
    failed: 1,
    draining: false,
    onIdle() {},
  };
  const pulse = new Samples(traffic, new TrafficStats(), new TrafficStats(), clock, () => ({
    loopShare: 0.5,
    cpuShare: 0.25,
  }));
  clock.advance(1_000);
  traffic.finished += 30;
  traffic.failed += 3;
  clock.stall(1_400);
  clock.advance(0);
  assert.deepEqual(
    pulse.all.map(({ requests, failed, tunnels, loopDelayMs, loopShare, cpuShare }) => [
      ...[requests, failed, tunnels, loopDelayMs],
      ...[loopShare, cpuShare],
    ]),
    [
      [5, 1, 2, 0, 0.5, 0.25],
      [30, 3, 2, 400, 0.5, 0.25],
    ],
  );
  clock.advance(120_000);
  assert.equal(pulse.all.length, 60);
  pulse.dispose();
  assert.equal(clock.pendingTimers, 0);
});
