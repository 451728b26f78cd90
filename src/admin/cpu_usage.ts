/** How busy this process was since the last reading: its event loop, and all its threads together. */
import { availableParallelism } from 'node:os';
import { eventLoopUtilization } from 'node:perf_hooks';

export interface CpuUsage {
  /** Share of the time in which the event loop ran, 0 to 1. */
  readonly loopShare: number;
  /** CPU time of all threads as a share of what the process may use (affinity and cgroup count), 0 to 1. */
  readonly cpuShare: number;
}

/** Each call returns the usage since the one before; the first since this call. `nowMs` is monotonic. */
export function watchCpu(nowMs: () => number): () => CpuUsage {
  const cpus = availableParallelism();
  let loop = eventLoopUtilization();
  let cpu = process.cpuUsage();
  let readAtMs = nowMs();
  return () => {
    const { utilization } = eventLoopUtilization(loop);
    const { user, system } = process.cpuUsage(cpu);
    const elapsedMs = nowMs() - readAtMs;
    loop = eventLoopUtilization();
    cpu = process.cpuUsage();
    readAtMs += elapsedMs;
    const cpuMs = (user + system) / 1_000;
    return { loopShare: share(utilization), cpuShare: elapsedMs > 0 ? share(cpuMs / elapsedMs / cpus) : 0 };
  };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
