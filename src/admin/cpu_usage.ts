/** How busy this process was since the last reading: its event loop, and all its threads together. */
import { availableParallelism } from 'node:os';
import { type EventLoopUtilization, eventLoopUtilization } from 'node:perf_hooks';

export interface CpuUsage {
  /** Share of the time in which the event loop ran, 0 to 1. */
  readonly loopShare: number;
  /** CPU time of all threads as a share of what the process may use (affinity and cgroup count), 0 to 1. */
  readonly cpuShare: number;
}

/** What is read: each without an argument the sum since the start of the process, with an earlier one the difference to it. */
interface CpuSource {
  readonly loop: (since?: EventLoopUtilization) => EventLoopUtilization;
  /** Microseconds. */
  readonly cpu: (since?: NodeJS.CpuUsage) => NodeJS.CpuUsage;
  readonly cpus: number;
}

/** Each call returns the usage since the one before; the first since this call. `nowMs` is monotonic. */
export function watchCpu(
  nowMs: () => number,
  source: CpuSource = { loop: eventLoopUtilization, cpu: process.cpuUsage, cpus: availableParallelism() },
): () => CpuUsage {
  let loop = source.loop();
  let cpu = source.cpu();
  let readAtMs = nowMs();
  return () => {
    const { utilization } = source.loop(loop);
    const { user, system } = source.cpu(cpu);
    const elapsedMs = nowMs() - readAtMs;
    loop = source.loop();
    cpu = source.cpu();
    readAtMs += elapsedMs;
    const cpuMs = (user + system) / 1_000;
    const cpuShare = elapsedMs > 0 ? share(cpuMs / elapsedMs / source.cpus) : 0;
    return { loopShare: share(utilization), cpuShare };
  };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
