// Nobody waits for ever for a client that does not do its part.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActiveRequests } from '../../src/http/active_requests.ts';
import { SlowClients, type WatchedRequest } from '../../src/http/slow_clients.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('each active request is checked once a second, also when the one before ends meanwhile', () => {
  const clock = new FakeClock();
  const active = new ActiveRequests<WatchedRequest>();
  const looks: string[] = [];
  const first: WatchedRequest = {
    activeIndex: -1,
    checkClient: nowMs => {
      looks.push(`first ${nowMs}`);
      active.remove(first);
    },
  };
  active.add(first);
  active.add({ activeIndex: -1, checkClient: nowMs => looks.push(`second ${nowMs}`) });
  const startMs = clock.nowMs();
  const clients = new SlowClients(active, clock);
  clock.advance(2_000);
  assert.deepEqual(looks, [
    `first ${startMs + 1_000}`,
    `second ${startMs + 1_000}`,
    `second ${startMs + 2_000}`,
  ]);
  clients.dispose();
  assert.equal(clock.pendingTimers, 0);
});
