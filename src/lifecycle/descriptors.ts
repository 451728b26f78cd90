/**
 * Compares what a plan may need with the limit of file descriptors, and bounds connections by it: at the start and
 * with every plan, because a reload may add listeners, pools and connections, and `prlimit` may change the limit.
 */
import type { Plan } from '../config/plan.ts';
import type { ConnectionTable } from '../net/connection.ts';
import {
  backendSockets,
  countOpenDescriptors,
  type DescriptorNeed,
  type DescriptorShare,
  descriptorLimit,
  shareDescriptors,
} from '../net/descriptors.ts';

export class DescriptorLimits {
  readonly #connections: ConnectionTable;
  readonly #warn: (message: string) => void;
  /** Descriptors other than connections and listeners; measured once, before there are many. */
  #own: number | null = null;
  #warned: string | null = null;

  constructor(connections: ConnectionTable, warn: (message: string) => void) {
    this.#connections = connections;
    this.#warn = warn;
  }

  /** Called when the listeners of the plan are bound, before they accept. */
  apply(plan: Plan): void {
    const limit = descriptorLimit();
    if (limit === null) return;
    const listeners = Object.keys(plan.listeners).length;
    const connections = this.#connections.size + backendSockets.open;
    this.#own ??= (countOpenDescriptors() ?? limit) - listeners - connections;
    const need = descriptorNeed(plan);
    const share = shareDescriptors(limit, this.#own + listeners, need);
    this.#connections.descriptorsMax = share.clientsMax;
    backendSockets.max = share.backendsMax;
    const warning = descriptorWarning(limit, need, share);
    if (warning !== null && warning !== this.#warned) this.#warn(warning);
    this.#warned = warning;
  }
}

export function descriptorNeed({ process, listeners, clusters }: Plan): DescriptorNeed {
  const onListeners = sum(Object.values(listeners), ({ connectionsMax }) => connectionsMax ?? Infinity);
  return {
    clients: Math.min(process.connectionsMax, onListeners),
    backends: sum(
      Object.values(clusters),
      ({ endpoints, pool, health }) =>
        endpoints.length * (pool.connectionsMax + (health.active === null ? 0 : 1)),
    ),
  };
}

/** Null: clients and backends both get what they may need. */
export function descriptorWarning(
  limit: number,
  { clients, backends }: DescriptorNeed,
  { clientsMax, backendsMax, limitWanted }: DescriptorShare,
): string | null {
  if (limit >= limitWanted) return null;
  return (
    `the limit of ${limit} open files is too low for this configuration, which may need ${limitWanted}: ` +
    `at most ${Math.min(clients, clientsMax)} of ${clients} client connections are accepted and ` +
    `${Math.min(backends, backendsMax)} of ${backends} connections to backends opened; ` +
    `raise LimitNOFILE (ulimit -n), or lower process.connections and clusters.*.pool.connections`
  );
}

function sum<T>(of: readonly T[], figure: (item: T) => number): number {
  return of.reduce((total, item) => total + figure(item), 0);
}
