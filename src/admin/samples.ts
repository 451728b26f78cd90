/** One sample a second of the traffic, for a minute: the sparklines of the status page. */
import type { Traffic } from '../http/request.ts';
import type { TrafficStats } from '../observability/traffic_stats.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import { type CpuUsage, watchCpu } from './cpu_usage.ts';

export interface Sample extends CpuUsage {
  readonly requests: number;
  /** How many of them failed. */
  readonly failed: number;
  readonly active: number;
  readonly tunnels: number;
  /** How late the timer of this sample fired. */
  readonly loopDelayMs: number;
  readonly p95Ms: number;
  readonly overheadMs: number;
}

const SAMPLE_MS = 1_000;
const SAMPLES_MAX = 60;

export class Samples {
  readonly #traffic: Traffic;
  readonly #durations: TrafficStats;
  readonly #overhead: TrafficStats;
  readonly #clock: Clock;
  readonly #readCpu: () => CpuUsage;
  #samples: readonly Sample[] = [];
  #finished = 0;
  #failed = 0;
  #dueAtMs = 0;
  #timer: Timer | null = null;

  constructor(
    traffic: Traffic,
    durations: TrafficStats,
    overhead: TrafficStats,
    clock: Clock,
    readCpu = watchCpu(() => clock.nowMs()),
  ) {
    this.#traffic = traffic;
    this.#durations = durations;
    this.#overhead = overhead;
    this.#clock = clock;
    this.#readCpu = readCpu;
    this.#wait();
  }

  /** Oldest first. */
  get all(): readonly Sample[] {
    return this.#samples;
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#timer);
  }

  /** Takes one sample; called by the timer. */
  sample(): void {
    const { finished, failed, active, tunnels } = this.#traffic;
    const nowMs = this.#clock.nowMs();
    const sample = {
      requests: finished - this.#finished,
      failed: failed - this.#failed,
      active: active.size,
      tunnels,
      loopDelayMs: Math.max(0, nowMs - this.#dueAtMs),
      p95Ms: this.#durations.summary(nowMs).p95Ms ?? 0,
      ...this.#readCpu(),
      overheadMs: this.#overhead.summary(nowMs).p50Ms ?? 0,
    };
    this.#finished = finished;
    this.#failed = failed;
    this.#samples = [...this.#samples, sample].slice(-SAMPLES_MAX);
    this.#wait();
  }

  #wait(): void {
    this.#dueAtMs = this.#clock.nowMs() + SAMPLE_MS;
    this.#timer = this.#clock.setTimer(sampleNow, SAMPLE_MS, this as Samples);
  }
}

function sampleNow(samples: Samples): void {
  samples.sample();
}
