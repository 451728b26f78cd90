/**
 * The delay before another attempt: exponential with full jitter, so that requests that failed together do not come
 * back together (Envoy's router: 0 to (2^n - 1) * base, capped).
 */
import type { Random } from './random.ts';

/** Settings of the delay between two attempts. */
export interface BackoffSettings {
  readonly baseMs: number; // at least 1
  readonly maxMs: number; // at least baseMs
}

/** `attempt` is 1 after the first failure. */
export function backoffMs(attempt: number, settings: BackoffSettings, random: Random): number {
  const rangeMs = Math.min((2 ** attempt - 1) * settings.baseMs, settings.maxMs);
  return random.unit() * rangeMs;
}
