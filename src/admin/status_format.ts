/** Formats numbers for people. */
import { measured } from '../observability/number_text.ts';
import type { StatsSummary } from '../observability/traffic_stats.ts';

export function duration(lengthMs: number): string {
  const seconds = Math.floor(lengthMs / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

export function time(iso: string): string {
  return `${iso.slice(11, 19)} UTC`;
}

export function ms(value: number | null): string {
  return value === null ? '–' : measured(value);
}

/** One unit for all three. */
export function percentiles({ p50Ms, p95Ms, p99Ms }: StatsSummary): string {
  const [p50, p95, p99] = [p50Ms, p95Ms, p99Ms].map(value =>
    value === null ? '–' : value.toFixed(value < 10 ? 1 : 0),
  );
  return `${p50} / ${p95} / ${p99}${p50Ms === null ? '' : ' ms'}`;
}

export function rate(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function percent(share: number): string {
  return share === 0 ? '0 %' : share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
