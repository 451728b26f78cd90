import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchCpu } from '../../src/admin/cpu_usage.ts';

/** A process whose loop and threads have run for so many milliseconds. */
function fakeProcess(cpus: number) {
  const sum = { nowMs: 0, activeMs: 0, cpuMs: 0 };
  const read = watchCpu(() => sum.nowMs, {
    loop: since => {
      const active = sum.activeMs - (since?.active ?? 0);
      const idle = sum.nowMs - sum.activeMs - (since?.idle ?? 0);
      return { active, idle, utilization: active + idle === 0 ? 0 : active / (active + idle) };
    },
    cpu: since => ({ user: sum.cpuMs * 1_000 - (since?.user ?? 0), system: 0 }),
    cpus,
  });
  const run = (forMs: number, activeMs: number, cpuMs: number) => {
    sum.nowMs += forMs;
    sum.activeMs += activeMs;
    sum.cpuMs += cpuMs;
    return read();
  };
  return { run };
}

test('each reading is of the time since the one before', () => {
  const { run } = fakeProcess(1);
  assert.deepEqual(run(1_000, 900, 950), { loopShare: 0.9, cpuShare: 0.95 });
  assert.deepEqual(run(1_000, 0, 10), { loopShare: 0, cpuShare: 0.01 });
});

test('the share of CPU is that of the CPUs that the process may use, and is at most 1', () => {
  const { run } = fakeProcess(4);
  assert.equal(run(1_000, 1_000, 2_000).cpuShare, 0.5);
  assert.equal(run(1_000, 1_000, 4_100).cpuShare, 1, 'the clocks of the two differ a little');
  assert.equal(run(0, 0, 0).cpuShare, 0, 'no time has passed');
});

test('the real process is busy while it computes', async () => {
  let nowMs = 0;
  const read = watchCpu(() => nowMs);
  await new Promise(setImmediate); // utilization is known from the first turn of the loop
  read();
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < 50_000);
  await new Promise(setImmediate);
  nowMs += 1_000;
  const { loopShare, cpuShare } = read();
  assert.ok(loopShare > 0.5, `${loopShare}`);
  assert.ok(cpuShare > 0 && cpuShare <= 1, `${cpuShare}`);
});
