import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { Registry } from 'prom-client';
import { defineProcessMetrics } from '../../src/observability/process_metrics.ts';

async function read(registry: Registry, name: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find(text => text.startsWith(`${name} `));
  assert(line !== undefined, name);
  return Number(line.split(' ').at(-1));
}

test('the process is described under the names that every Node.js dashboard knows', {
  skip: process.platform !== 'linux',
}, async () => {
  const registry = new Registry();
  defineProcessMetrics(registry);
  await registry.metrics(); // the first look may open what the thread pool needs
  const before = await read(registry, 'process_open_fds');
  assert.equal(before, readdirSync('/proc/self/fd').length - 1, 'without the one that looks');
  const fd = openSync('/dev/null', 'r');
  assert.equal(await read(registry, 'process_open_fds'), before + 1);
  closeSync(fd);
  assert.ok((await read(registry, 'process_max_fds')) > before);
  assert.ok((await read(registry, 'process_resident_memory_bytes')) > 10_000_000);
  assert.ok((await read(registry, 'process_cpu_seconds_total')) > 0);
  assert.ok((await read(registry, 'process_start_time_seconds')) > 1_700_000_000);
  const used = await read(registry, 'nodejs_heap_size_used_bytes');
  const limit = await read(registry, 'fairlead_heap_size_limit_bytes');
  assert.ok(used > 1_000_000 && used < limit, `${used} of ${limit}`);
  assert.equal(limit, getHeapStatistics().heap_size_limit);
});

test('nothing is left that lists every connection, or that one scraper takes from another', async () => {
  const registry = new Registry();
  defineProcessMetrics(registry);
  const text = await registry.metrics();
  assert.doesNotMatch(text, /nodejs_active_|nodejs_eventloop_lag/);
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
});

test('the time in which the event loop was busy only grows, for every reader', async () => {
  const registry = new Registry();
  defineProcessMetrics(registry);
  const before = await read(registry, 'fairlead_event_loop_active_seconds_total');
  const endsAtMs = performance.now() + 50;
  while (performance.now() < endsAtMs);
  await wait(0); // the loop counts what it did when it comes round
  const after = await read(registry, 'fairlead_event_loop_active_seconds_total');
  assert.ok(after >= before + 0.05, `${before} s, and ${after} s after 50 ms of work`);
});
