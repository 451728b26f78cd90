// The system clock itself: the only test in which real time passes, and it is this process that lets it pass.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { holdProcess, systemClock, type Timer } from '../../src/resilience/clock.ts';
import { checkLeaks } from '../support/leak_check.ts';

checkLeaks();

/** Nothing else of this process runs meanwhile, as in a process that was stopped. */
function standStill(forMs: number): void {
  const endsAtMs = performance.now() + forMs;
  while (performance.now() < endsAtMs);
}

async function socketPair(use: (near: Socket, far: Socket) => Promise<void>): Promise<void> {
  const server = net.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = net.connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    noDelay: true,
  });
  const [far] = (await once(server, 'connection')) as [Socket];
  try {
    await use(near, far);
  } finally {
    near.destroy();
    far.destroy();
    server.close();
    await once(server, 'close');
  }
}

/** What is heard, in order, of an answer that came and of a timer of 20 ms that fell due while the process stood still. */
async function heardAfterStandingStill(cancel: (timer: Timer) => void): Promise<readonly string[]> {
  const heard: string[] = [];
  await socketPair(async (near, far) => {
    const answered = once(near, 'data');
    near.on('data', () => {
      heard.push('answer');
      cancel(timer);
    });
    await turn(); // a turn of `setImmediate`: timers are the next thing that the loop looks at, and sockets come after them
    const timer = systemClock.setTimer(() => heard.push('timer'), 20, undefined);
    far.write('the answer');
    standStill(400);
    await answered;
    const release = holdProcess();
    await new Promise<void>(resolve => void systemClock.setTimer(() => resolve(), 50, undefined));
    release();
  });
  return heard;
}

test('a timer that rings late lets the answers be read that came while the process stood still', async () => {
  assert.deepEqual(await heardAfterStandingStill(() => {}), ['answer', 'timer']);
});

test('a late timer that the answer cancels does not ring at all', async () => {
  assert.deepEqual(await heardAfterStandingStill(timer => systemClock.cancelTimer(timer)), ['answer']);
});

test('a timer never fires early, and a cancelled one never', async () => {
  const release = holdProcess();
  const startedAtMs = systemClock.nowMs();
  systemClock.cancelTimer(systemClock.setTimer(() => assert.fail('it was cancelled'), 10, undefined));
  const tookMs = await new Promise<number>(resolve => {
    systemClock.setTimer(sinceMs => resolve(systemClock.nowMs() - sinceMs), 50, startedAtMs);
  });
  release();
  assert.ok(tookMs > 49, `${tookMs} ms: Node may count a fraction of a millisecond less`);
});
