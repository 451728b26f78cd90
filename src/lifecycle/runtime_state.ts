/** Everything that outlives a plan: state by key, requests in flight, open connections. */
import type { Plan } from '../config/plan.ts';
import { ActiveRequests } from '../http/active_requests.ts';
import type { Traffic } from '../http/request.ts';
import { TunnelsPerClient } from '../http/tunnels_per_client.ts';
import { ConnectionTable } from '../net/connection.ts';
import { type LookUp, Resolver } from '../net/resolver.ts';
import type { LogDestination } from '../observability/log_destination.ts';
import { Metrics } from '../observability/metrics.ts';
import { ProcessTelemetry } from '../observability/telemetry.ts';
import { BufferAccount } from '../resilience/buffer_account.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import { SlidingCount } from '../resilience/sliding_count.ts';
import { StateRegistry } from '../resilience/state_registry.ts';
import { readVersion } from './version.ts';

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: ProcessTelemetry;
  readonly metrics: Metrics;
  readonly registry: StateRegistry;
  readonly connections: ConnectionTable;
  readonly resolver: Resolver;
  readonly traffic: Traffic;
  /** Log lines that were lost in the last minute. */
  readonly linesLost: SlidingCount;
}

/** `openLog` gets a function that counts lines that could not be written. */
export function createRuntime(
  { logging, process: { bufferedBytesMax } }: Pick<Plan, 'logging' | 'process'>,
  openLog: (onDropped: () => void) => LogDestination,
  lookUp: LookUp,
  clock: Clock,
  random: Random,
): Runtime {
  const metrics = new Metrics(readVersion());
  const linesLost = new SlidingCount(10_000, 6);
  const log = openLog(() => {
    metrics.logLineDropped();
    linesLost.add(clock.nowMs());
  });
  return {
    clock,
    random,
    telemetry: new ProcessTelemetry(logging, log, metrics, clock, random),
    metrics,
    registry: new StateRegistry(clock),
    resolver: new Resolver(lookUp, clock, random),
    connections: new ConnectionTable(clock),
    linesLost,
    traffic: {
      active: new ActiveRequests(),
      tunnels: 0,
      tunnelsPerClient: new TunnelsPerClient(),
      buffers: new BufferAccount(bufferedBytesMax),
      finished: 0,
      failed: 0,
      draining: false,
      onIdle: () => {},
    },
  };
}
