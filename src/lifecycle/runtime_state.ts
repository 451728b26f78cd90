/** What outlives a plan: state by key, what is under way, what is open. */
import type { Traffic } from '../http/request.ts';
import type { ConnectionTable } from '../net/connection.ts';
import type { Resolver } from '../net/resolver.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import type { StateRegistry } from '../resilience/state_registry.ts';

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
  readonly registry: StateRegistry;
  readonly connections: ConnectionTable;
  readonly resolver: Resolver;
  readonly traffic: Traffic;
}
