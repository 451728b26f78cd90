/**
 * Gives back the memory that only the start has used: loading and compiling leave a young generation of 8 MB, which V8 keeps
 * for as long as the process is idle. One full collection makes it small; it grows again with the traffic.
 *
 * It stops the process for tens of milliseconds, so it waits for a moment without connections. Where there is none, there is
 * traffic, and the memory is in use.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Clock } from '../resilience/clock.ts';

const LOOK_EVERY_MS = 1_000;
const LOOKS = 60;

/** Collects once, in the first minute. `collect` is replaced in tests. */
export function releaseStartMemory(clock: Clock, isIdle: () => boolean, collect = collectAll): void {
  look(LOOKS);

  function look(left: number): void {
    if (left > 0) clock.setTimer(() => (isIdle() ? collect() : look(left - 1)), LOOK_EVERY_MS, undefined);
  }
}

/** `last-resort` is the one that makes the young generation small (V8's extension gc). */
export function collectAll(): void {
  v8.setFlagsFromString('--expose-gc');
  const collector: unknown = vm.runInNewContext('globalThis.gc');
  v8.setFlagsFromString('--no-expose-gc');
  if (typeof collector === 'function') collector({ type: 'major', flavor: 'last-resort' });
}
