import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { runtimeOnFakeClock } from '../support/runtime_on_fake_clock.ts';

test('a line of the log that could not be written is counted', async () => {
  const { runtime, onDropped } = runtimeOnFakeClock(planOf(forwardTo(['127.0.0.1:1'])));
  const lost = async () =>
    /^fairlead_log_lines_dropped_total(?:\{[^}]*\})? (\d+)$/m.exec(
      (await runtime.metrics.scrape('')).text,
    )?.[1];
  assert.equal(await lost(), '0');
  onDropped();
  onDropped();
  assert.equal(await lost(), '2');
});

test('a process begins idle: nothing is under way, open or drained', () => {
  const { runtime } = runtimeOnFakeClock(planOf(forwardTo(['127.0.0.1:1'])));
  const { traffic, connections } = runtime;
  assert.deepEqual(
    [
      traffic.active.size,
      traffic.tunnels,
      traffic.finished,
      traffic.failed,
      traffic.draining,
      connections.size,
    ],
    [0, 0, 0, 0, false, 0],
  );
});
