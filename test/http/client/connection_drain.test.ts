import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientConnection } from '../../../src/http/client/connection.ts';
import { ConnectionDrain } from '../../../src/http/client/connection_drain.ts';
import { FakeClock } from '../../support/fake_clock.ts';

test('the connections that are open at the time are looked at every 50 ms until it is over, then no timer is left', () => {
  const clock = new FakeClock();
  const looks: string[] = [];
  const connection = (name: string) =>
    ({
      drain: (nowMs: number) => looks.push(`${name} ${nowMs - startedAtMs}`),
    }) as unknown as ClientConnection;
  const startedAtMs = clock.nowMs();
  let open = [connection('a'), connection('b')];
  const drain = new ConnectionDrain(() => open, clock);
  drain.begin();
  drain.begin(); // of the listener, and then of the process
  assert.deepEqual(looks, ['a 0', 'b 0'], 'at once, and once');
  clock.advance(49);
  assert.equal(looks.length, 2);
  open = [connection('c')];
  clock.advance(1);
  assert.deepEqual(looks.slice(2), ['c 50']);
  drain.stop();
  clock.advance(1_000);
  assert.deepEqual([looks.length, clock.pendingTimers], [3, 0]);
});
