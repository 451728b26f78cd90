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
  const log = openLog(() => metrics.logLineDropped());
  return {
    clock,
    random,
    telemetry: new ProcessTelemetry(logging, log, metrics, clock, random),
    metrics,
    registry: new StateRegistry(clock),
    resolver: new Resolver(lookUp, clock, random),
    connections: new ConnectionTable(clock),
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
