// Nobody waits for ever for a client that does not take its answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActiveRequests } from '../../src/http/active_requests.ts';
import { type PendingResponse, StalledResponses } from '../../src/http/stalled_responses.ts';
import { FakeClock } from '../support/fake_clock.ts';

test('each active request is checked once a second, also when the one before ends meanwhile', () => {
  const clock = new FakeClock();
  const active = new ActiveRequests<PendingResponse>();
  const looks: string[] = [];
  const first: PendingResponse = {
    activeIndex: -1,
    checkTaken: nowMs => {
      looks.push(`first ${nowMs}`);
      active.remove(first);
    },
  };
  active.add(first);
  active.add({ activeIndex: -1, checkTaken: nowMs => looks.push(`second ${nowMs}`) });
  const startMs = clock.nowMs();
  const answers = new StalledResponses(active, clock);
  clock.advance(2_000);
  assert.deepEqual(looks, [
    `first ${startMs + 1_000}`,
    `second ${startMs + 1_000}`,
    `second ${startMs + 2_000}`,
  ]);
  answers.dispose();
  assert.equal(clock.pendingTimers, 0);
});
