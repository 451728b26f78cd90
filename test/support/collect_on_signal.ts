/**
 * For `--expose-gc --import` in a proxy process: SIGUSR2 collects garbage, before Fairlead logs that it has no use for this
 * signal. Memory that is compared afterwards is memory in use.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('SIGUSR2', () => globalThis.gc?.());
