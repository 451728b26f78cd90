/** One endpoint of one cluster: its settings from the plan, and its state at run time. */
import type { ActiveHealthSettings } from '../health/active.ts';
import type { Disagreement } from '../health/disagreement.ts';
import type { PassiveHealth, PassiveHealthSettings } from '../health/passive.ts';
import type { EndpointHealth } from '../health/state.ts';
import type { Address } from '../net/address.ts';
import type { ClientTlsSettings } from '../net/tls.ts';
import type { Upstream } from '../net/upstream.ts';
import type { CircuitBreaker, CircuitBreakerSettings } from '../resilience/circuit_breaker.ts';
import type { RetryBudgetSettings } from '../resilience/retry_budget.ts';
import type { AdminState } from './admin_state.ts';
import { type CapacitySignal, capacitySignalOf } from './capacity_signal.ts';
import type { Load } from './load.ts';

export interface EndpointSettings {
  readonly address: Address;
  /** Relative share of the traffic; an endpoint of weight 0 gets none. */
  readonly weight: number;
  /** Priority tier. Backups have a higher one: they get traffic only while the tiers below cannot take it. */
  readonly tier: number;
  /** Longest time between two lookups of the name in `address`; null: there is no name to look up. */
  readonly refreshMs: number | null;
}

export interface PoolSettings {
  /** Maximum of connections to each endpoint. */
  readonly connectionsMax: number;
  /** Maximum of requests of the cluster that wait for a connection. */
  readonly queueMax: number;
  readonly queueTimeoutMs: number;
  readonly idleMs: number;
  readonly requestsMax: number | null;
  readonly ageMsMax: number | null;
  readonly connectTimeoutMs: number;
}

/** A group of endpoints that serve the same requests. */
export interface ClusterSettings {
  readonly name: string;
  readonly endpoints: readonly EndpointSettings[]; // at least one
  readonly protocol: 'http1' | 'http2' | 'h2c';
  /** The process is not ready while the cluster has no eligible endpoint. */
  readonly required: boolean;
  readonly tls: ClientTlsSettings | null;
  readonly policy: 'roundRobin' | 'leastRequests' | 'random';
  /** How long a recovered or new endpoint takes to get its full share of the traffic; null: at once. */
  readonly slowStartMs: number | null;
  /** Panic threshold: with a smaller share of healthy endpoints than this, all are eligible; null: off. */
  readonly panicBelow: number | null;
  readonly pool: PoolSettings;
  readonly health: {
    readonly active: ActiveHealthSettings | null;
    readonly passive: PassiveHealthSettings | null;
  };
  readonly circuitBreaker: CircuitBreakerSettings | null;
  readonly retryBudget: RetryBudgetSettings;
}

/**
 * The state comes from the registry, under keys that name the endpoint and the settings that gave the state its
 * meaning, so that it survives a reload. The object itself belongs to one pool.
 */
export class Backend {
  /** The address as text: the `endpoint` of logs and of the status. */
  readonly name: string;
  /** The address as configured, possibly with a host name: the `endpoint` of metrics. */
  readonly label: string;
  readonly weight: number;
  readonly tier: number;
  readonly upstream: Upstream;
  /** Belongs to the upstream, and is shared with the pools of other plans that use the same connections. */
  readonly capacity: CapacitySignal;
  readonly health: EndpointHealth;
  readonly passive: PassiveHealth | null;
  readonly circuit: CircuitBreaker | null;
  /** Whether an operator has drained the endpoint. */
  readonly adminState: AdminState;
  /** Compares the results of probes with those of requests; null without probes. */
  readonly disagreement: Disagreement | null;
  readonly load: Load;

  constructor(
    identity: Pick<Backend, 'name' | 'label' | 'weight' | 'tier'>,
    state: Pick<
      Backend,
      'upstream' | 'health' | 'passive' | 'circuit' | 'disagreement' | 'adminState' | 'load'
    >,
  ) {
    this.name = identity.name;
    this.label = identity.label;
    this.weight = identity.weight;
    this.tier = identity.tier;
    this.upstream = state.upstream;
    this.capacity = capacitySignalOf(state.upstream);
    this.health = state.health;
    this.passive = state.passive;
    this.circuit = state.circuit;
    this.disagreement = state.disagreement;
    this.adminState = state.adminState;
    this.load = state.load;
  }

  /** Requests in flight, of the current plan and of older ones. */
  get inFlight(): number {
    return this.load.inFlight;
  }
  /** It has a weight and is not drained by an operator. */
  get takesTraffic(): boolean {
    return this.weight > 0 && !this.adminState.isDrained;
  }
  /** Weight, operator and health allow traffic. */
  get isEligible(): boolean {
    return this.takesTraffic && this.health.isEligible;
  }
  /** The circuit breaker lets a request through. Only time or a response changes that. */
  get admits(): boolean {
    return this.circuit === null || this.circuit.wouldAdmit;
  }
  /** It has a free connection, and its circuit breaker admits a request. */
  get isReady(): boolean {
    return this.upstream.hasCapacity && this.admits;
  }
}
