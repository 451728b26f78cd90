/**
 * Which backends of one cluster are in rotation, as one value. The pool computes a new one whenever health, weight or an
 * operator's drain changes, and reads it for every request.
 */
import type { Backend } from './backend.ts';
import { eligibleEndpoints } from './eligible_endpoints.ts';

export interface Rotation {
  /** The policy picks from these. */
  readonly eligible: ReadonlySet<Backend>;
  /** Healthy backends of higher tiers, asked in this order while no eligible one admits requests. */
  readonly standby: readonly Backend[];
  /** Too few backends are healthy (`panicBelow`), so all of them are eligible. */
  readonly panic: boolean;
  /** At least one eligible backend is in slow start. */
  readonly hasWarming: boolean;
  /** Backends that passive health has taken out. */
  readonly ejectedCount: number;
  /** Why no backend is eligible, for the failure's detail; empty while there is one. */
  readonly whyNobody: string;
}

/** `panicBelow` is a ratio of 0 to 1; null switches the panic threshold off. */
export function computeRotation(backends: readonly Backend[], panicBelow: number | null): Rotation {
  const { members, standby, panic } = eligibleEndpoints(backends, panicBelow);
  return {
    eligible: new Set(members),
    standby,
    panic,
    hasWarming: members.some(({ health }) => health.state === 'warming'),
    ejectedCount: backends.filter(({ health }) => health.isEjected).length,
    whyNobody: members.length === 0 ? whyNobody(backends) : '',
  };
}

/** `2 unhealthy (connect_refused), 1 drained`: how many backends are in which state, with the last error seen there. */
function whyNobody(backends: readonly Backend[]): string {
  const states = Map.groupBy(backends, backend => {
    if (backend.weight === 0) return 'with weight 0';
    return backend.adminState.isDrained ? 'drained' : backend.health.state;
  });
  const texts = [...states].map(([state, members]) => {
    const isOut = state === 'unhealthy' || state === 'ejected';
    const error = isOut ? members.find(({ health }) => health.lastError !== null)?.health.lastError : null;
    return `${members.length} ${state}${error == null ? '' : ` (${error})`}`;
  });
  return texts.join(', ');
}
