import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { watchCpu } from '../../src/admin/cpu_usage.ts';
import { systemClock } from '../../src/resilience/clock.ts';

const nowMs = () => systemClock.nowMs();

function burn(forMs: number): void {
  const start = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(start);
    if ((user + system) / 1_000 >= forMs) return;
  }
}

test('a loop that runs all the time is busy, one that waits is not, and each reading begins anew', async () => {
  const read = watchCpu(nowMs);
  await wait(1); // utilization is known from the first turn of the loop
  read();
  burn(200);
  await wait(1);
  const busy = read();
  await wait(300);
  const idle = read();
  assert.ok(busy.loopShare > 0.8, `${busy.loopShare}`);
  assert.ok(idle.loopShare < 0.5, `${idle.loopShare}`);
  assert.ok(busy.cpuShare > idle.cpuShare);
});

test('the share of CPU is that of the CPUs that the process may use', () => {
  let clockMs = 0;
  const read = watchCpu(() => clockMs);
  burn(100);
  clockMs += 200;
  const { cpuShare } = read();
  assert.ok(cpuShare >= 0.5 / availableParallelism() && cpuShare < 1, `${cpuShare}`);
  assert.equal(read().cpuShare, 0, 'no time has passed');
});
