/** The condition of an endpoint, in the terms that the status, its page, its table and decision records share. */
import type { BoundCluster } from '../http/data_plane.ts';
import { plainStateOf } from '../lifecycle/runtime_view.ts';
import type { Backend } from '../load_balancer/backend.ts';
import type { CircuitBreaker } from '../resilience/circuit_breaker.ts';
import type { EndpointCondition } from './status_view.ts';

export function conditionOf(backend: Backend, nowMs: number): EndpointCondition {
  const { health, circuit, adminState } = backend;
  const { lastErrorAtMs } = health;
  return {
    endpoint: backend.name,
    weight: backend.weight,
    state: stateOf(backend),
    sinceMs: Math.round(nowMs - (adminState.drainedAtMs ?? health.changedAtMs)),
    lastError: health.lastError,
    lastErrorAgoMs: lastErrorAtMs === null ? null : Math.round(nowMs - lastErrorAtMs),
    circuit: circuit?.state.kind ?? null,
    circuitWhy: circuitWhy(circuit),
  };
}

/** Host names without an address take the place of their endpoints. */
export function unresolvedOf(cluster: BoundCluster, nowMs: number): EndpointCondition[] {
  return cluster.unresolved().map(({ endpoint, code, failedAtMs, weight }) => ({
    endpoint,
    weight,
    state: 'unresolved',
    sinceMs: Math.round(nowMs - failedAtMs),
    lastError: `name lookup failed: ${code}`,
    lastErrorAgoMs: null,
    circuit: null,
    circuitWhy: null,
  }));
}

/** The state as shown to a person. */
function stateOf(backend: Backend): string {
  const state = plainStateOf(backend);
  return state === 'healthy' && !backend.health.isProbed ? 'unchecked' : state;
}

export function circuitWhy(circuit: CircuitBreaker | null): string | null {
  if (circuit === null || circuit.why === null) return null;
  const seconds = (circuit.retryAfterMs / 1_000).toFixed(1);
  const left = circuit.wouldAdmit
    ? 'the next request may probe the endpoint'
    : circuit.state.kind === 'open'
      ? `for another ${seconds} s`
      : 'one request is probing the endpoint';
  return `${circuit.why} (${left})`;
}
