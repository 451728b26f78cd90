/** How an endpoint is doing, in the words that the status, its page, its table and a decision record have in common. */
import type { BoundCluster } from '../http/data_plane.ts';
import type { Backend } from '../load_balancer/backend.ts';
import type { CircuitBreaker } from '../resilience/circuit_breaker.ts';

export interface EndpointCondition {
  readonly endpoint: string;
  readonly weight: number;
  /**
   * A state of `EndpointHealth`, or: `drained`, an operator has taken it out; `unchecked`, nothing speaks against it and
   * no health check asks; `unresolved`, its name has no address.
   */
  readonly state: string;
  readonly sinceMs: number;
  /** The last thing that a probe or a request has found wrong, and how long ago. */
  readonly lastError: string | null;
  readonly lastErrorAgoMs: number | null;
  readonly circuit: string | null;
  /** While it is not closed: what has opened it, and for how long. */
  readonly circuitWhy: string | null;
}

export function conditionOf(backend: Backend, nowMs: number): EndpointCondition {
  const { health, circuit, admission } = backend;
  const { lastErrorMs } = health;
  return {
    endpoint: backend.name,
    weight: backend.weight,
    state: stateOf(backend),
    sinceMs: Math.round(nowMs - (admission.drainedMs ?? health.sinceMs)),
    lastError: health.lastError,
    lastErrorAgoMs: lastErrorMs === null ? null : Math.round(nowMs - lastErrorMs),
    circuit: circuit?.state.kind ?? null,
    circuitWhy: circuitWhy(circuit),
  };
}

/** Names that have no address stand in the place of the endpoints that they would be. */
export function unresolvedOf(cluster: BoundCluster, nowMs: number): EndpointCondition[] {
  return cluster.unresolved().map(({ endpoint, code, sinceMs, weight }) => ({
    endpoint,
    weight,
    state: 'unresolved',
    sinceMs: Math.round(nowMs - sinceMs),
    lastError: `the name does not resolve: ${code}`,
    lastErrorAgoMs: null,
    circuit: null,
    circuitWhy: null,
  }));
}

/** The words of an operator go before those of probes. */
function stateOf({ admission, health }: Backend): string {
  if (admission.isDrained) return 'drained';
  return health.state === 'healthy' && !health.isProbed ? 'unchecked' : health.state;
}

export function circuitWhy(circuit: CircuitBreaker | null): string | null {
  if (circuit === null || circuit.why === null) return null;
  const seconds = (circuit.retryAfterMs / 1_000).toFixed(1);
  const left = circuit.wouldAdmit
    ? 'the next request is let through'
    : circuit.state.kind === 'open'
      ? `for ${seconds} s more`
      : 'one request was let through';
  return `${circuit.why} (${left})`;
}
