/** How bad the state of an endpoint is: the order of the tables, and what is listed as a problem. */
import type { ClusterView, EndpointView } from './status_view.ts';

/** Share of failed requests above which an endpoint is listed as a problem. */
export const FAILURE_SHARE_BAD = 0.05;

/** The severity of an endpoint with which nothing is wrong. */
export const RIGHT = 3;

export function isOut(state: string): boolean {
  return state === 'unhealthy' || state === 'ejected' || state === 'unresolved';
}

type Judged = Pick<EndpointView, 'state' | 'circuit' | 'disagrees' | 'figures' | 'slow'>;

/** 0: gets no requests. 1: its requests fail. 2: slow, warming, drained, or not known yet. 3: nothing is wrong. */
export function severityOf({ state, circuit, disagrees, figures, slow }: Judged): number {
  if (isOut(state)) return 0;
  if (circuit === 'open' || disagrees || figures.failureShare > FAILURE_SHARE_BAD) return 1;
  return slow == null && (state === 'healthy' || state === 'unchecked') ? RIGHT : 2;
}

/** The severity of its worst endpoint; -1: no endpoint is eligible, or its circuit breaker is open. */
export function clusterSeverity({
  serving,
  circuit,
  endpoints,
}: Pick<ClusterView, 'serving' | 'circuit'> & { readonly endpoints: readonly Judged[] }): number {
  if (serving === 0 || circuit === 'open') return -1;
  return Math.min(RIGHT, ...endpoints.map(severityOf));
}

/** The worst first; endpoints of the same severity keep their order. */
export function sorted<Endpoint extends Judged>(endpoints: readonly Endpoint[]): Endpoint[] {
  return endpoints.toSorted((a, b) => severityOf(a) - severityOf(b));
}
