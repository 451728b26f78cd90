import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { defineProcessFigures } from '../../src/observability/process_figures.ts';

async function read(registry: Registry, name: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find(text => text.startsWith(`fairlead_${name} `));
  assert(line !== undefined, name);
  return Number(line.split(' ').at(-1));
}

/** Real time: the figure is Node's own, taken by a timer. */
test('an idle event loop is not late, one that is held up is', async () => {
  const registry = new Registry();
  defineProcessFigures(registry);
  await wait(300);
  const idle = await read(registry, 'event_loop_delay_seconds');
  assert.ok(idle < 0.05, `${idle} s while idle`);
  await wait(30); // the first interval after a scrape is not measured
  const untilMs = performance.now() + 200;
  while (performance.now() < untilMs);
  await wait(30);
  const busy = await read(registry, 'event_loop_delay_seconds');
  assert.ok(busy > 0.15 && busy < 1, `${busy} s while held up for 200 ms`);
});

test('the time between two timer firings is not called a delay', async () => {
  const registry = new Registry();
  defineProcessFigures(registry);
  await wait(300);
  await read(registry, 'event_loop_delay_seconds');
  let leastS = 1;
  for (let round = 0; round < 5; round++) {
    await wait(100);
    leastS = Math.min(leastS, await read(registry, 'event_loop_delay_seconds'));
  }
  assert.ok(
    leastS < 0.009,
    `${leastS} s in the quietest of five rounds: less than the interval of the timer`,
  );
});

test('memory, time and descriptors have values that can be true', {
  skip: process.platform !== 'linux',
}, async () => {
  const registry = new Registry();
  defineProcessFigures(registry);
  const before = await read(registry, 'process_open_fds');
  const fd = openSync('/dev/null', 'r');
  assert.equal(await read(registry, 'process_open_fds'), before + 1);
  closeSync(fd);
  assert.ok((await read(registry, 'process_max_fds')) > before);
  assert.ok((await read(registry, 'process_resident_memory_bytes')) > 10_000_000);
  assert.ok((await read(registry, 'process_uptime_seconds')) > 0);
  const share = await read(registry, 'event_loop_utilization_ratio');
  assert.ok(share >= 0 && share <= 1);
  const text = await registry.metrics();
  assert.match(text, /fairlead_process_gc_seconds_total\{kind="major"\} \d/);
  assert.match(text, /fairlead_process_cpu_seconds_total\{mode="user"\} \d/);
  assert.match(text, /fairlead_process_heap_bytes\{kind="limit"\} \d{8,}/);
});
