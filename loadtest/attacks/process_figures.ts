/** Reads what a process uses from /proc, and what Fairlead refused from a scrape of its metrics. */
import { readFileSync } from 'node:fs';

const KIB = 1_024;

/** Highest resident memory of the process so far. */
export function peakResidentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * KIB;
}

const COUNTERS: readonly (readonly [metric: string, label: string])[] = [
  ['failures_total', 'reason'],
  ['connections_refused_total', 'cause'],
  ['connections_cut_total', 'cause'],
  ['tls_refused_total', 'cause'],
  ['overload_shed_total', 'signal'],
];

/** Counts by reason, summed over all other labels. */
export function refusals(metrics: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [metric, label] of COUNTERS) {
    const lines = metrics.matchAll(
      new RegExp(`^fairlead_${metric}\\{.*?\\b${label}="([^"]+)".*\\} (\\d+)$`, 'gm'),
    );
    for (const [, value = '', count] of lines) counts.set(value, (counts.get(value) ?? 0) + Number(count));
  }
  return counts;
}

/** The 99th percentile of the last seconds. */
export function eventLoopDelaySeconds(metrics: string): number {
  return Number(/^fairlead_event_loop_delay_seconds (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}
