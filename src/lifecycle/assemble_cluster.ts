/** Builds the pool of a cluster, with the state that earlier plans have left under the same keys. */

import { Prober } from '../health/active.ts';
import { Disagreement } from '../health/disagreement.ts';
import { Outage } from '../health/outage.ts';
import { PassiveHealth } from '../health/passive.ts';
import { EndpointHealth } from '../health/state.ts';
import type { BoundCluster } from '../http/data_plane.ts';
import { AdminState } from '../load_balancer/admin_state.ts';
import {
  Backend,
  type ClusterSettings,
  type EndpointSettings,
  type PoolSettings,
} from '../load_balancer/backend.ts';
import { leastRequestsPolicy } from '../load_balancer/least_requests.ts';
import { Load } from '../load_balancer/load.ts';
import type { Policy } from '../load_balancer/policy.ts';
import { ClusterPool } from '../load_balancer/pool.ts';
import { randomPolicy } from '../load_balancer/random.ts';
import { RoundRobinPolicy } from '../load_balancer/round_robin.ts';
import { formatAddress } from '../net/address.ts';
import { connect } from '../net/connect.ts';
import { openUpstream } from '../net/open_upstream.ts';
import type { Upstream, UpstreamLimits, UpstreamSettings } from '../net/upstream.ts';
import { CircuitBreaker } from '../resilience/circuit_breaker.ts';
import { RetryBudget } from '../resilience/retry_budget.ts';
import { ClusterEndpoints, type ResolvedEndpoint } from './cluster_endpoints.ts';
import type { Runtime } from './runtime_state.ts';

export function assembleCluster(settings: ClusterSettings, runtime: Runtime): BoundCluster {
  const { clock, registry, metrics } = runtime;
  const outage = registry.getOrCreate(`outage ${settings.name}`, () => new Outage());
  const members = registry.getOrCreate(
    `cluster ${JSON.stringify(settings)}`,
    () =>
      new ClusterEndpoints(settings, runtime, createPool(settings, runtime, outage), (member, states) =>
        assembleBackend(member, outage, { ...runtime, registry: states }),
      ),
  );
  members.claim();
  const retryBudget = registry.getOrCreate(
    `budget ${settings.name} ${JSON.stringify(settings.retryBudget)}`,
    () => new RetryBudget(settings.retryBudget, clock),
  );
  const circuit = assembleCircuit(settings, null, runtime);
  circuit?.openOnlyIf(() => !members.pool.hasWorking);
  return {
    name: settings.name,
    pool: members.pool,
    policy: settings.policy,
    protocol: settings.protocol,
    retryBudget,
    circuit,
    unresolved: () => members.unresolved,
    handles: metrics.cluster(
      settings.name,
      settings.endpoints.map(({ address }) => formatAddress(address)),
    ),
  };
}

function createPool(settings: ClusterSettings, runtime: Runtime, outage: Outage): ClusterPool {
  const { clock, random, telemetry } = runtime;
  return new ClusterPool({
    name: settings.name,
    settings: settings.pool,
    policy: createPolicy(settings, runtime),
    ejectedRatioMax: settings.health.passive?.ejectedRatioMax ?? 0,
    panicBelow: settings.panicBelow,
    onEligibleCount: count => outage.become(count === 0),
    onPanic: (panic, serving) =>
      telemetry.emit({ kind: 'panic_changed', cluster: settings.name, panic, serving }),
    clock,
    random,
  });
}

function createPolicy(settings: ClusterSettings, { registry, random }: Runtime): Policy<Backend> {
  switch (settings.policy) {
    case 'leastRequests':
      return leastRequestsPolicy(random);
    case 'random':
      return randomPolicy(random);
    case 'roundRobin':
      return new RoundRobinPolicy(
        registry.getOrCreate(`cursor ${settings.name}`, () => ({ at: -1, dispose: () => {} })),
        random,
      );
  }
}

/** Keys name the kind, the identity and the settings that give the state its meaning. */
function assembleBackend(
  { settings, endpoint, label, isAdded }: ResolvedEndpoint,
  outage: Outage,
  runtime: Runtime,
): Backend {
  const { registry } = runtime;
  const name = formatAddress(endpoint.address);
  const identity = `${settings.name} ${name}`;
  const { active } = settings.health;
  const judged = `${identity} ${JSON.stringify([settings.health, settings.slowStartMs])}`;

  const { health, passive } = registry.getOrCreate(
    `judged ${judged}`,
    () => new Judged(settings, { name, label, isAdded }, runtime),
  );
  const upstream = assembleUpstream(settings, endpoint, runtime);
  const disagreement = active === null ? null : assembleDisagreement(settings.name, name, label, runtime);
  if (active !== null)
    registry.getOrCreate(`prober ${judged} ${wayOf(settings)}`, () =>
      startProber(settings, endpoint, label, active, health, disagreement, outage, runtime),
    );
  const { weight, tier } = endpoint;
  return new Backend(
    { name, label, weight, tier },
    {
      upstream,
      health,
      passive,
      circuit: assembleCircuit(settings, name, runtime),
      disagreement,
      adminState: registry.getOrCreate(`admin_state ${identity}`, () => new AdminState()),
      load: registry.getOrCreate(`load ${identity}`, () => new Load()),
    },
  );
}

/** Settings that require new connections. All others can change while connections are open. */
function wayOf({ protocol, tls }: ClusterSettings): string {
  return JSON.stringify([protocol, tls]);
}

/** The limits of a pool change in place: new connections beside those in use would double their number. */
function assembleUpstream(
  settings: ClusterSettings,
  { address }: EndpointSettings,
  runtime: Runtime,
): Upstream {
  const { protocol, tls, pool } = settings;
  const kept = runtime.registry.getOrCreate(
    `upstream ${settings.name} ${formatAddress(address)} ${wayOf(settings)}`,
    () => new KeptUpstream({ address, protocol, tls, ...limitsOf(pool) }, runtime),
  );
  kept.setLimits(limitsOf(pool));
  return kept.upstream;
}

function limitsOf({
  connectionsMax,
  idleMs,
  requestsMax,
  ageMsMax,
  connectTimeoutMs,
}: PoolSettings): UpstreamLimits {
  return { connectionsMax, idleMs, requestsMax, ageMsMax, connectTimeoutMs };
}

/** `endpoint` null: the circuit of the whole cluster. */
function assembleCircuit(
  { name, circuitBreaker }: ClusterSettings,
  endpoint: string | null,
  { clock, random, registry, telemetry }: Runtime,
): CircuitBreaker | null {
  if (circuitBreaker === null) return null;
  return registry.getOrCreate(
    `circuit ${name} ${endpoint} ${JSON.stringify(circuitBreaker)}`,
    () =>
      new CircuitBreaker(circuitBreaker, clock, random, (from, to) =>
        telemetry.emit({
          kind: 'circuit_changed',
          cluster: name,
          endpoint,
          from,
          to: to.kind,
          ...(to.kind === 'open' ? { cause: to.why, forMs: Math.round(to.retryAtMs - clock.nowMs()) } : {}),
        }),
      ),
  );
}

function assembleDisagreement(
  cluster: string,
  endpoint: string,
  endpointLabel: string,
  { registry, telemetry }: Runtime,
): Disagreement {
  return registry.getOrCreate(
    `disagreement ${cluster} ${endpoint}`,
    () =>
      new Disagreement(change =>
        telemetry.emit({ kind: 'health_disagreement', cluster, endpoint, endpointLabel, ...change }),
      ),
  );
}

/** The first probe is sent at once. */
function startProber(
  settings: ClusterSettings,
  endpoint: EndpointSettings,
  authority: string,
  active: NonNullable<ClusterSettings['health']['active']>,
  health: EndpointHealth,
  disagreement: Disagreement | null,
  outage: Outage,
  { clock, random }: Runtime,
): Prober {
  // A WebSocket handshake is sent over HTTP/1.1, as for requests.
  const http2 = settings.protocol !== 'http1' && active.probe.kind !== 'webSocket';
  const target = {
    address: endpoint.address,
    tls: settings.tls,
    protocols: [http2 ? ('h2' as const) : ('http/1.1' as const)],
    connectTimeoutMs: active.timeoutMs,
  };
  const prober = new Prober(
    active,
    {
      open: callback => connect(target, clock, callback),
      // The path of a socket is not a host name; nginx and others would respond 400.
      authority: endpoint.address.kind === 'unix' ? 'localhost' : authority,
      http2,
    },
    health,
    clock,
    random,
    outage,
    disagreement,
  );
  prober.start();
  return prober;
}

/** Health state and passive health belong together: they are renewed together. */
class Judged {
  readonly health: EndpointHealth;
  readonly passive: PassiveHealth | null;

  constructor(
    { name: cluster, health: { active, passive }, slowStartMs }: ClusterSettings,
    { name, label, isAdded }: { readonly name: string; readonly label: string; readonly isAdded: boolean },
    { clock, telemetry }: Runtime,
  ) {
    const slowStart = slowStartMs === null ? null : { windowMs: slowStartMs, clock, isAdded };
    this.health = new EndpointHealth(active, clock.nowMs(), slowStart);
    this.health.subscribe((from, to, cause) =>
      telemetry.emit({
        kind: 'health_changed',
        cluster,
        endpoint: name,
        endpointLabel: label,
        from,
        to,
        cause,
      }),
    );
    this.passive = passive === null ? null : new PassiveHealth(passive, this.health, clock);
  }

  get isWorthKeeping(): boolean {
    return !this.health.isEligible;
  }

  dispose(): void {
    this.passive?.dispose();
    this.health.dispose();
  }
}

/** The upstream of an endpoint. When no plan names it any more, it finishes its requests and keeps no idle connection. */
class KeptUpstream {
  readonly upstream: Upstream;
  #limits: UpstreamLimits;

  constructor(settings: UpstreamSettings, { clock, random }: Runtime) {
    this.#limits = settings;
    this.upstream = openUpstream(settings, clock, random);
  }

  setLimits(limits: UpstreamLimits): void {
    const isSame = LIMITS.every(name => limits[name] === this.#limits[name]);
    if (isSame) return;
    this.#limits = limits;
    this.upstream.setLimits(limits);
  }

  dispose(): void {
    this.upstream.retire();
  }
}

const LIMITS = ['connectionsMax', 'idleMs', 'requestsMax', 'ageMsMax', 'connectTimeoutMs'] as const;
