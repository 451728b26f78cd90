/** Durations, sizes and rates as people write them. A string result says what is wrong. */

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 };
const PERIOD_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `250ms`, `30s`, `5m`, `1h` to milliseconds. */
export function parseDuration(text: string): number | string {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return `"${text}" is no duration; write it like 250ms, 30s, 5m or 1h`;
  return Number(match[1]) * (DURATION_MS[match[2] ?? ''] ?? 0);
}

/** `16KiB`, `10MiB` to bytes. */
export function parseSize(text: string): number | string {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return `"${text}" is no size; write it like 512B, 16KiB, 10MiB or 1GiB`;
  return Math.floor(Number(match[1]) * (SIZE_BYTES[match[2] ?? ''] ?? 0));
}

export interface Rate {
  readonly count: number;
  readonly periodMs: number;
}

/** `100/s`, `5000/m`. */
export function parseRate(text: string): Rate | string {
  const match = /^(\d{1,9})\/(s|m|h)$/.exec(text);
  const count = Number(match?.[1]);
  if (match === null || count === 0) return `"${text}" is no rate; write it like 100/s, 5000/m or 10000/h`;
  return { count, periodMs: PERIOD_MS[match[2] ?? ''] ?? 0 };
}

/** The largest unit that says it in whole numbers, for messages. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = DURATION_MS[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = SIZE_BYTES[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
