/** What the process itself needs: time on the processor, memory, descriptors, and how late its event loop is. */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import {
  type EventLoopUtilization,
  eventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Registry } from 'prom-client';
import { defineCounter, defineReadCounter, defineReadGauge } from './metric_definition.ts';

/** Node measures the time between two firings of a timer: this much of it is no delay. */
const SAMPLE_EVERY_MS = 10;

export function defineProcessFigures(registry: Registry): void {
  defineEventLoopGauges(registry);
  defineReadGauge(registry, 'process_resident_memory_bytes', 'Resident memory', [], gauge =>
    gauge.set(process.memoryUsage.rss()),
  );
  defineReadGauge(registry, 'process_heap_bytes', 'Heap of V8: used, and its limit', ['kind'], gauge => {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    gauge.set({ kind: 'used' }, used_heap_size);
    gauge.set({ kind: 'limit' }, heap_size_limit);
  });
  defineReadGauge(registry, 'process_uptime_seconds', 'Since the start of the process', [], gauge =>
    gauge.set(process.uptime()),
  );
  defineReadCounter(registry, 'process_cpu_seconds_total', 'CPU time, by mode', ['mode'], counter => {
    const { user, system } = process.cpuUsage();
    counter.inc({ mode: 'user' }, user / 1e6);
    counter.inc({ mode: 'system' }, system / 1e6);
  });
  defineCollectionCounter(registry);
  if (process.platform === 'linux') defineDescriptorGauges(registry);
}

function defineEventLoopGauges(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_EVERY_MS });
  delay.enable();
  const help = '99th percentile of how late the event loop was, since the last scrape';
  defineReadGauge(registry, 'event_loop_delay_seconds', help, [], gauge => {
    gauge.set(Math.max(0, delay.percentile(99) / 1e9 - SAMPLE_EVERY_MS / 1_000));
    delay.reset();
  });
  let last: EventLoopUtilization = eventLoopUtilization();
  const share = 'Share of the time in which the event loop was busy, since the last scrape';
  defineReadGauge(registry, 'event_loop_utilization_ratio', share, [], gauge => {
    const now = eventLoopUtilization();
    gauge.set(eventLoopUtilization(now, last).utilization);
    last = now;
  });
}

/** By kind as `perf_hooks.constants` numbers them. */
const COLLECTIONS: Readonly<Record<number, string>> = {
  1: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weak',
};

function defineCollectionCounter(registry: Registry): void {
  const help = 'Time in which the garbage collector held up the event loop';
  const seconds = defineCounter(registry, 'process_gc_seconds_total', help, ['kind']);
  for (const kind of Object.values(COLLECTIONS)) seconds.inc({ kind }, 0);
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      const kind = 'detail' in entry ? COLLECTIONS[(entry.detail as { kind: number }).kind] : undefined;
      if (kind !== undefined) seconds.inc({ kind }, entry.duration / 1_000);
    }
  }).observe({ entryTypes: ['gc'] });
}

function defineDescriptorGauges(registry: Registry): void {
  const max = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  defineReadGauge(registry, 'process_open_fds', 'Open file descriptors', [], async gauge => {
    gauge.set((await countDescriptors()) ?? max);
  });
  defineReadGauge(registry, 'process_max_fds', 'Limit of file descriptors', [], gauge => gauge.set(max));
}

/** In the thread pool: with many connections it takes milliseconds. Null: none is left to look with. */
async function countDescriptors(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    return null;
  }
}
