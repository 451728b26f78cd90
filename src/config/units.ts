/**
 * Parses and formats durations, sizes and rates. Durations become milliseconds, sizes bytes. A string as a result
 * says what is wrong. Pure; bounds are in `defaults.ts`.
 */

const DURATION_MS: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);
const SIZE_BYTES: ReadonlyMap<string, number> = new Map([
  ['GiB', 1_024 ** 3],
  ['MiB', 1_024 ** 2],
  ['KiB', 1_024],
  ['B', 1],
]);

export const DURATION_PATTERN = '^\\d+(\\.\\d+)?(ms|s|m|h)$';
export const SIZE_PATTERN = '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$';
export const BYTE_RATE_PATTERN = '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)/s$';
export const RATE_PATTERN = '^[1-9]\\d{0,8}/(s|m|h)$';

/** `250ms`, `30s`, `5m`, `1h`, `1.5s`. */
export function parseDuration(text: string): number | string {
  return (
    parseQuantity(text, DURATION_MS) ?? `"${text}" is not a duration; write it like 250ms, 30s, 5m or 1h`
  );
}

/** `512B`, `16KiB`, `10MiB`, `1GiB`. */
export function parseSize(text: string): number | string {
  return parseQuantity(text, SIZE_BYTES) ?? `"${text}" is not a size; write it like 512B, 16KiB or 10MiB`;
}

/** `240B/s`, `10KiB/s`: bytes per second. */
export function parseByteRate(text: string): number | string {
  const bytes = text.endsWith('/s') ? parseQuantity(text.slice(0, -2), SIZE_BYTES) : null;
  return bytes ?? `"${text}" is not a speed; write it like 240B/s, 10KiB/s or 1MiB/s`;
}

export interface Rate {
  readonly count: number;
  readonly periodMs: number;
}

/** `100/s`, `5000/m`, `10000/h`. */
export function parseRate(text: string): Rate | string {
  const match = /^(\d{1,9})\/(s|m|h)$/.exec(text);
  if (match === null) {
    const nginx = /^(\d{1,9})r\/([sm])$/.exec(text); // `10r/s`
    const like = nginx === null ? 'it like 100/s, 5000/m or 10000/h' : `${nginx[1]}/${nginx[2]}`;
    return `"${text}" is not a rate; write ${like}`;
  }
  const count = Number(match[1]);
  if (count === 0) return `"${text}" would refuse every request; remove the limit to switch it off`;
  return { count, periodMs: DURATION_MS.get(match[2] ?? '') ?? 0 };
}

/** Formats milliseconds in the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, DURATION_MS, ms === 0 ? 's' : 'ms');
}

export function formatSize(bytes: number): string {
  return formatQuantity(bytes, SIZE_BYTES, 'B');
}

export function formatByteRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}

/** Whole milliseconds or bytes, or null. */
function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)([A-Za-z]+)$/.exec(text);
  const unit = units.get(match?.[2] ?? '');
  if (match === null || unit === undefined) return null;
  const value = Number((Number(match[1]) * unit).toPrecision(15)); // 1.1 s are 1100 ms, not 1100.0000000000002
  return Number.isInteger(value) ? value : null;
}

function formatQuantity(value: number, units: ReadonlyMap<string, number>, smallest: string): string {
  for (const [name, size] of units) if (value >= size && value % size === 0) return `${value / size}${name}`;
  return `${value}${smallest}`;
}
