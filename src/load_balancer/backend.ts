import type { ActiveHealthSettings } from '../health/active.ts';
import type { PassiveHealthSettings } from '../health/passive.ts';
import type { Address } from '../net/endpoint.ts';
import type { ClientTlsSettings } from '../net/tls.ts';
import type { CircuitBreakerSettings } from '../resilience/circuit_breaker.ts';
import type { RetryBudgetSettings } from '../resilience/retry_budget.ts';

export interface EndpointSettings {
  readonly address: Address;
  /** 0 takes no traffic. */
  readonly weight: number;
}

export interface PoolSettings {
  /** Connections to each endpoint. */
  readonly connectionsMax: number;
  /** Requests of the cluster that may wait for a connection. */
  readonly queueMax: number;
  readonly queueMs: number;
  readonly idleMs: number;
  readonly requestsMax: number | null;
  readonly ageMsMax: number | null;
  readonly connectMs: number;
}

/** A group of endpoints that answer alike. */
export interface ClusterSettings {
  readonly name: string;
  readonly endpoints: readonly EndpointSettings[]; // at least one
  readonly protocol: 'http1' | 'http2' | 'h2c';
  readonly tls: ClientTlsSettings | null;
  readonly policy: 'roundRobin' | 'leastRequests' | 'random';
  readonly pool: PoolSettings;
  readonly health: {
    readonly active: ActiveHealthSettings | null;
    readonly passive: PassiveHealthSettings | null;
  };
  readonly circuitBreaker: CircuitBreakerSettings | null;
  readonly retryBudget: RetryBudgetSettings;
}
