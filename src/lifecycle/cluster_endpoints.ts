/**
 * The current backends of one cluster: the endpoints of the plan, and for each host name among them its current
 * addresses. When the addresses of a name change, the pool gets other backends, and those that stay keep their state.
 */
import type { BoundCluster } from '../http/data_plane.ts';
import type { Backend, ClusterSettings, EndpointSettings } from '../load_balancer/backend.ts';
import type { ClusterPool } from '../load_balancer/pool.ts';
import { formatAddress, nameOf } from '../net/address.ts';
import type { NameWatch } from '../net/resolver.ts';
import type { Failure } from '../resilience/failure.ts';
import { StateRegistry } from '../resilience/state_registry.ts';
import type { Runtime } from './runtime_state.ts';

/** One endpoint with an address to connect to. */
export interface ResolvedEndpoint {
  readonly endpoint: EndpointSettings;
  /** The endpoint as written in the configuration, possibly with a host name. */
  readonly label: string;
  /** The TLS settings with the host name that certificates are checked for. */
  readonly settings: ClusterSettings;
  /** The endpoint is added to a cluster that others serve already. */
  readonly isAdded: boolean;
}

/** Finds or creates the state under its keys in `states`. */
type MakeBackend = (resolved: ResolvedEndpoint, states: StateRegistry) => Backend;

interface Named {
  readonly endpoint: EndpointSettings;
  readonly settings: ClusterSettings;
  readonly watch: NameWatch;
}

export class ClusterEndpoints {
  readonly pool: ClusterPool;
  readonly #settings: ClusterSettings;
  readonly #runtime: Runtime;
  readonly #makeBackend: MakeBackend;
  readonly #unsubscribe: (() => void)[];
  #states: StateRegistry;
  /** An earlier plan had this cluster, or it has addresses already: a new endpoint gets a slow start. */
  #isRunning: boolean;
  #named: readonly Named[] = [];
  #backends = new Map<string, Backend>();
  /** Host names whose failure was logged. */
  readonly #failing = new Set<string>();

  constructor(settings: ClusterSettings, runtime: Runtime, pool: ClusterPool, makeBackend: MakeBackend) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.pool = pool;
    this.#makeBackend = makeBackend;
    this.#isRunning = runtime.registry.has(statesKey(settings.name));
    this.#states = this.#findStates();
    this.#named = this.#findNames();
    this.#unsubscribe = this.#named.map(({ watch }) => watch.subscribe(() => this.#onNames()));
    for (const { watch } of this.#named) this.#logName(watch);
  }

  /** Endpoints whose host name has no address, with the error code of the lookup; empty during the first lookup. */
  get unresolved(): ReturnType<BoundCluster['unresolved']> {
    return this.#named.flatMap(({ endpoint, watch: { addresses, failure, failingAtMs } }) =>
      addresses.length > 0 || failure === null
        ? []
        : [
            {
              endpoint: formatAddress(endpoint.address),
              code: failure,
              failedAtMs: failingAtMs,
              weight: endpoint.weight,
            },
          ],
    );
  }

  /** Called for each plan that has this cluster: marks all its state as used. */
  claim(): void {
    this.#states = this.#findStates();
    this.#named = this.#findNames();
    this.#update();
  }

  dispose(): void {
    for (const stop of this.#unsubscribe) stop();
    this.pool.dispose();
  }

  #findNames(): Named[] {
    const { registry, resolver } = this.#runtime;
    return this.#settings.endpoints.flatMap(endpoint => {
      const host = nameOf(endpoint.address);
      if (host === null || endpoint.refreshMs === null) return [];
      const { refreshMs } = endpoint;
      const watch = registry.getOrCreate(`name ${this.#settings.name} ${host} ${refreshMs}`, () =>
        resolver.watch({ host, refreshMs }),
      );
      const known = this.#named.find(named => named.endpoint === endpoint && named.watch === watch);
      return [known ?? { endpoint, watch, settings: verifiedAs(host, this.#settings) }];
    });
  }

  #onNames(): void {
    for (const { watch } of this.#named) this.#logName(watch);
    const before = new Set(this.#backends.keys());
    this.#update();
    this.#states.retainUsed();
    const added = [...this.#backends.keys()].filter(name => !before.has(name));
    const removed = [...before].filter(name => !this.#backends.has(name));
    if (added.length + removed.length === 0) return;
    const cluster = this.#settings.name;
    this.#runtime.telemetry.emit({ kind: 'endpoints_changed', cluster, added, removed });
  }

  /** Logs once when a name begins to fail, and once when it works again. */
  #logName({ host, failure, addresses }: NameWatch): void {
    const { telemetry } = this.#runtime;
    const cluster = this.#settings.name;
    if (failure !== null && !this.#failing.has(host)) {
      this.#failing.add(host);
      telemetry.emit({ kind: 'name_failed', cluster, name: host, code: failure, kept: addresses.length });
    } else if (failure === null && this.#failing.delete(host))
      telemetry.emit({ kind: 'name_resolved', cluster, name: host, addresses });
  }

  /** A registry of its own, because the addresses of a name come and go between two reloads. */
  #findStates(): StateRegistry {
    const { clock, registry } = this.#runtime;
    return registry.getOrCreate(statesKey(this.#settings.name), () => new StateRegistry(clock));
  }

  #update(): void {
    const backends = new Map<string, Backend>();
    for (const resolved of this.#resolved()) {
      const name = formatAddress(resolved.endpoint.address);
      if (backends.has(name)) continue; // two names, or a name and an address, for the same endpoint
      const made = this.#makeBackend(resolved, this.#states); // also for a known one: its state is still needed
      backends.set(name, this.#backends.get(name) ?? made);
    }
    const isSame =
      backends.size === this.#backends.size && [...backends.keys()].every(name => this.#backends.has(name));
    this.#backends = backends;
    this.#isRunning ||= backends.size > 0;
    if (!isSame || backends.size === 0) this.pool.setBackends([...backends.values()], this.#whenEmpty());
  }

  #resolved(): ResolvedEndpoint[] {
    const isAdded = this.#isRunning;
    return this.#settings.endpoints.flatMap((endpoint): ResolvedEndpoint[] => {
      const label = formatAddress(endpoint.address);
      const named = this.#named.find(one => one.endpoint === endpoint);
      const { address } = endpoint;
      if (named === undefined || address.kind !== 'tcp')
        return [{ endpoint, label, settings: this.#settings, isAdded }];
      return named.watch.addresses.map(host => ({
        endpoint: { ...endpoint, address: { ...address, host } },
        label,
        settings: named.settings,
        isAdded,
      }));
    });
  }

  /** While no name has an address: the failure of the lookup, or null during the first one. */
  #whenEmpty(): Failure | null {
    const lost = this.#named.find(({ watch }) => watch.failure !== null)?.watch;
    return lost === undefined ? null : { kind: 'dns_failed', code: lost.failure ?? '', name: lost.host };
  }
}

function statesKey(cluster: string): string {
  return `endpoints ${cluster}`;
}

/** One settings object for all addresses of a name, because secure contexts are cached by it. */
function verifiedAs(host: string, settings: ClusterSettings): ClusterSettings {
  const { tls } = settings;
  return tls === null || tls.serverName !== null
    ? settings
    : { ...settings, tls: { ...tls, serverName: host } };
}
