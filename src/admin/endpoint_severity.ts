/** How bad the state of an endpoint is: the order of the tables, and what is listed as a problem. */
import type { ClusterView, EndpointView } from './status_view.ts';

/** Share of failed requests above which an endpoint is listed as a problem. */
export const FAILURE_SHARE_BAD = 0.05;

export type Severity = 0 | 1 | 2 | 3;

/** The severity where nothing is wrong. */
export const RIGHT = 3;

export function isOut(state: string): boolean {
  return state === 'unhealthy' || state === 'ejected' || state === 'unresolved';
}

type Judged = Pick<EndpointView, 'state' | 'circuit' | 'disagrees' | 'figures' | 'slow'>;

/** 0: gets no requests. 1: its requests fail. 2: slow, warming, drained, or not known yet. 3: nothing is wrong. */
export function severityOf({ state, circuit, disagrees, figures, slow }: Judged): Severity {
  if (isOut(state)) return 0;
  if (circuit === 'open' || disagrees || figures.failureShare > FAILURE_SHARE_BAD) return 1;
  return slow == null && (state === 'healthy' || state === 'unchecked') ? RIGHT : 2;
}

/** 0: the cluster is down as a whole, or nearly. 1: requests wait, or the worst endpoint is out or fails. Otherwise as its worst endpoint. */
export function clusterSeverity({
  serving,
  panic,
  circuit,
  queue,
  endpoints,
}: Pick<ClusterView, 'serving' | 'panic' | 'circuit' | 'queue'> & {
  readonly endpoints: readonly Judged[];
}): Severity {
  if (serving === 0 || panic || circuit === 'open') return 0;
  const worst = endpoints.reduce<Severity>((least, one) => lesser(least, severityOf(one)), RIGHT);
  return queue > 0 || worst === 0 ? 1 : worst;
}

function lesser(a: Severity, b: Severity): Severity {
  return a < b ? a : b;
}

/** The worst first; endpoints of the same severity keep their order. */
export function sorted<Endpoint extends Judged>(endpoints: readonly Endpoint[]): Endpoint[] {
  return endpoints.toSorted((a, b) => severityOf(a) - severityOf(b));
}
