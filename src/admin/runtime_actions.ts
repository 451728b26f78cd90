/** Actions on a running process other than reload and drain: a temporary log level, and draining endpoints. */
import { allowsTraffic } from '../health/state.ts';
import type { PlaneRef } from '../http/data_plane.ts';
import type { Backend } from '../load_balancer/backend.ts';
import type { LogLevel } from '../observability/logging.ts';
import type { ProcessTelemetry } from '../observability/telemetry.ts';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { ActionResult } from './admin_interfaces.ts';
import { unknownName } from './name_list.ts';

export class RuntimeActions {
  readonly #planeRef: PlaneRef;
  readonly #telemetry: ProcessTelemetry;
  readonly #clock: Clock;
  #levelTimer: Timer | null = null;

  constructor(planeRef: PlaneRef, telemetry: ProcessTelemetry, clock: Clock) {
    this.#planeRef = planeRef;
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /** The level returns by itself, because a log at debug that is forgotten fills disks. */
  setLogLevel(level: LogLevel, forMs: number): ActionResult {
    this.#clock.cancelTimer(this.#levelTimer);
    this.#telemetry.setLevel(level);
    this.#telemetry.emit({ kind: 'log_level_changed', level, forMs });
    this.#levelTimer = this.#clock.setTimer(levelBack, forMs, () => this.#levelBack());
    return { done: `the log level is ${level} for ${Math.round(forMs / 1_000)} s` };
  }

  setEndpoint(cluster: string, endpoint: string, action: 'drain' | 'ready'): ActionResult {
    const { clusters } = this.#planeRef.current.plane;
    const pool = clusters.get(cluster)?.pool;
    if (pool === undefined)
      return `there is no cluster ${unknownName(cluster, [...clusters.keys()], 'clusters')}`;
    const backend = pool.backends.find(({ name }) => name === endpoint);
    if (backend === undefined) {
      const names = pool.backends.map(({ name }) => name);
      return `cluster ${cluster} has no endpoint ${unknownName(endpoint, names, 'endpoints')}`;
    }
    const isNew = backend.adminState.setDrained(action === 'drain', this.#clock.nowMs());
    const state = action === 'drain' ? 'drained' : 'ready';
    const next = action === 'drain' ? drainedText(backend) : readyText(backend);
    if (!isNew) return { done: `${endpoint} was already ${state}: ${next}` };
    this.#telemetry.emit({ kind: `endpoint_${state}`, cluster, endpoint });
    const done = `${endpoint} is ${state}: ${next}`;
    const warning = `cluster ${cluster} has no eligible endpoint left; its requests get a 503`;
    return pool.eligibleCount === 0 ? { done, warning } : { done };
  }

  /** Draining the last eligible endpoint stops the traffic of its cluster: a person is asked first. */
  drainQuestion(cluster: string, endpoint: string): string | null {
    const pool = this.#planeRef.current.plane.clusters.get(cluster)?.pool;
    const isLast =
      pool?.eligibleCount === 1 && pool.backends.some(one => one.name === endpoint && one.isEligible);
    return isLast
      ? `${endpoint} is the last eligible endpoint of cluster ${cluster}: without it, its requests fail.`
      : null;
  }

  dispose(): void {
    this.#clock.cancelTimer(this.#levelTimer);
  }

  #levelBack(): void {
    this.#levelTimer = null;
    this.#telemetry.setLevel(null);
    this.#telemetry.emit({ kind: 'log_level_changed', level: this.#telemetry.level, forMs: null });
  }
}

function drainedText({ inFlight }: Backend): string {
  if (inFlight === 0) return 'it gets no new requests; none is in flight';
  return `it gets no new requests; ${inFlight} in flight will finish`;
}

function readyText({ health }: Backend): string {
  const { state, lastError } = health;
  if (allowsTraffic(state)) return 'it gets requests again';
  return `it gets no requests yet, because it is ${state}${lastError === null ? '' : ` (${lastError})`}`;
}

function levelBack(back: () => void): void {
  back();
}
