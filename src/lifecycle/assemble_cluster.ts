/** A cluster of the plan becomes a pool of backends, with the state that earlier plans have left under the same keys. */

import { Prober } from '../health/active.ts';
import { Disagreement } from '../health/disagreement.ts';
import { Outage } from '../health/outage.ts';
import { PassiveHealth } from '../health/passive.ts';
import { EndpointHealth } from '../health/state.ts';
import type { BoundCluster } from '../http/data_plane.ts';
import { Admission } from '../load_balancer/admission.ts';
import { Backend, type ClusterSettings, type EndpointSettings } from '../load_balancer/backend.ts';
import { LeastRequestsPolicy } from '../load_balancer/least_conn.ts';
import type { Policy } from '../load_balancer/policy.ts';
import { ClusterPool } from '../load_balancer/pool.ts';
import { RandomPolicy } from '../load_balancer/random.ts';
import { RoundRobinPolicy } from '../load_balancer/round_robin.ts';
import { connect } from '../net/connect.ts';
import { formatAddress } from '../net/endpoint.ts';
import { openUpstream } from '../net/open_upstream.ts';
import type { Upstream } from '../net/upstream.ts';
import { CircuitBreaker } from '../resilience/circuit_breaker.ts';
import { RetryBudget } from '../resilience/retry_budget.ts';
import { ClusterMembers, type Member } from './cluster_members.ts';
import type { Runtime } from './runtime_state.ts';

export function assembleCluster(settings: ClusterSettings, runtime: Runtime): BoundCluster {
  const { clock, registry, metrics } = runtime;
  const outage = registry.getOrCreate(`outage ${settings.name}`, () => new Outage());
  const members = registry.getOrCreate(
    `cluster ${JSON.stringify(settings)}`,
    () =>
      new ClusterMembers(settings, runtime, createPool(settings, runtime, outage), (member, states) =>
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
    onServing: count => outage.become(count === 0),
    onPanic: (panic, serving) =>
      telemetry.emit({ kind: 'panic_changed', cluster: settings.name, panic, serving }),
    clock,
    random,
  });
}

function createPolicy(settings: ClusterSettings, { registry, random }: Runtime): Policy<Backend> {
  switch (settings.policy) {
    case 'leastRequests':
      return new LeastRequestsPolicy(random);
    case 'random':
      return new RandomPolicy(random);
    case 'roundRobin':
      return new RoundRobinPolicy(
        registry.getOrCreate(`cursor ${settings.name}`, () => ({ at: -1, dispose: () => {} })),
        random,
      );
  }
}

/** Keys name the kind, the identity and the settings that give the state its meaning. */
function assembleBackend(
  { settings, endpoint, label, isAdded }: Member,
  outage: Outage,
  runtime: Runtime,
): Backend {
  const { clock, registry, telemetry } = runtime;
  const name = formatAddress(endpoint.address);
  const identity = `${settings.name} ${name}`;
  const { active, passive } = settings.health;
  /** One key for the verdict and for those who give it: they must be renewed together. */
  const judged = `${identity} ${JSON.stringify([settings.health, settings.slowStartMs])}`;

  const health = registry.getOrCreate(`health ${judged}`, () => {
    const slowStart =
      settings.slowStartMs === null ? null : { windowMs: settings.slowStartMs, clock, isAdded };
    const made = new EndpointHealth(active, clock.nowMs(), slowStart);
    made.subscribe((from, to, cause) =>
      telemetry.emit({
        kind: 'health_changed',
        cluster: settings.name,
        endpoint: name,
        endpointLabel: label,
        from,
        to,
        cause,
      }),
    );
    return made;
  });
  const way = { protocol: settings.protocol, tls: settings.tls, ...settings.pool, queueMax: 0, queueMs: 0 };
  const upstream = registry.getOrCreate(
    `upstream ${identity} ${JSON.stringify(way)}`,
    () =>
      new KeptUpstream(
        openUpstream(
          { address: endpoint.address, protocol: settings.protocol, tls: settings.tls, ...settings.pool },
          clock,
          runtime.random,
        ),
      ),
  ).upstream;
  const disagreement = active === null ? null : assembleDisagreement(settings.name, name, label, runtime);
  if (active !== null)
    registry.getOrCreate(`prober ${judged} ${JSON.stringify(way)}`, () =>
      startProber(settings, endpoint, label, active, health, disagreement, outage, runtime),
    );
  const { weight, tier } = endpoint;
  return new Backend(
    { name, label, weight, tier },
    {
      upstream,
      health,
      passive:
        passive === null
          ? null
          : registry.getOrCreate(`passive ${judged}`, () => new PassiveHealth(passive, health, clock)),
      circuit: assembleCircuit(settings, name, runtime),
      disagreement,
      admission: registry.getOrCreate(`admission ${identity}`, () => new Admission()),
    },
  );
}

/** `endpoint` null: the circuit of the cluster as a whole. */
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
          ...(to.kind === 'open' ? { cause: to.why, forMs: Math.round(to.untilMs - clock.nowMs()) } : {}),
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

/** The first probe is made at once. */
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
  // A WebSocket handshake goes over HTTP/1.1, as that of traffic does.
  const http2 = settings.protocol !== 'http1' && active.probe.kind !== 'webSocket';
  const target = {
    address: endpoint.address,
    tls: settings.tls,
    protocols: [http2 ? ('h2' as const) : ('http/1.1' as const)],
    connectMs: active.timeoutMs,
  };
  const prober = new Prober(
    active,
    { open: callback => connect(target, clock, callback), authority, http2 },
    health,
    clock,
    random,
    outage,
    disagreement,
  );
  prober.start();
  return prober;
}

/** An upstream that no plan names any more finishes what is under way and keeps nothing. */
class KeptUpstream {
  readonly upstream: Upstream;
  constructor(upstream: Upstream) {
    this.upstream = upstream;
  }
  dispose(): void {
    this.upstream.retire();
  }
}
