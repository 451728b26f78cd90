/**
 * Metrics of the process under the names that Node.js dashboards know: prom-client's own collector.
 *
 * Some are left out: the gauges of handles, requests and resources list every connection at each scrape, the lag gauges are
 * emptied by their first reader, and the count of descriptors blocks the event loop (12 ms with 10,000).
 */
import { readdir } from 'node:fs/promises';
import { eventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { EventLoopDelay } from './event_loop_delay.ts';
import { defineReadCounter, defineReadGauge } from './metric_definition.ts';

/** prom-client's event loop monitor cannot be left out, but it need not run. */
const HARDLY_EVER_MS = 3_600_000;

const LEFT_OUT = [
  ...['handles', 'requests', 'resources'].flatMap(of => [`nodejs_active_${of}`, `nodejs_active_${of}_total`]),
  ...['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map(
    of => `nodejs_eventloop_lag_${of}seconds`,
  ),
];
const OPEN_DESCRIPTORS = 'process_open_fds';

export function defineProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: HARDLY_EVER_MS });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  defineDescriptorGauge(registry);
  defineEventLoopMetrics(registry);
  const limit = 'Most that the heap of V8 may take; nodejs_heap_size_used_bytes is how much it does';
  defineReadGauge(registry, 'heap_size_limit_bytes', limit, [], gauge =>
    gauge.set(getHeapStatistics().heap_size_limit),
  );
}

function defineEventLoopMetrics(registry: Registry): void {
  const delay = new EventLoopDelay();
  const late = '99th percentile of how late the event loop was in the last minute';
  defineReadGauge(registry, 'event_loop_delay_seconds', late, [], gauge => gauge.set(delay.p99Seconds()));
  const busy = 'Time in which the event loop was busy; its rate is the share';
  defineReadCounter(registry, 'event_loop_active_seconds_total', busy, [], counter =>
    counter.inc(eventLoopUtilization().active / 1_000),
  );
}

/** The standard name, counted in the thread pool. Not defined where the collector does not define it. */
function defineDescriptorGauge(registry: Registry): void {
  const limit = registry.getSingleMetric('process_max_fds');
  if (limit === undefined || registry.getSingleMetric(OPEN_DESCRIPTORS) === undefined) return;
  registry.removeSingleMetric(OPEN_DESCRIPTORS);
  const gauge = new Gauge({
    name: OPEN_DESCRIPTORS,
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      gauge.set((await countDescriptors()) ?? (await limit.get()).values[0]?.value ?? 0);
    },
  });
}

/** Without the descriptor used for counting. Null: no descriptor was left, so all are in use. */
async function countDescriptors(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length - 1;
  } catch {
    return null;
  }
}
