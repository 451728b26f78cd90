/** How bad the state of an endpoint is: the order of the tables, and what is listed as a problem. */
import type { EndpointView } from './status_view.ts';

/** Share of failed requests above which an endpoint is listed as a problem. */
export const FAILURE_SHARE_BAD = 0.05;

export function isOut(state: string): boolean {
  return state === 'unhealthy' || state === 'ejected' || state === 'unresolved';
}

/** 0: gets no requests. 1: its requests fail. 2: slow, warming, drained, or not known yet. 3: nothing is wrong. */
export function severityOf({ state, circuit, disagrees, figures, slow }: EndpointView): number {
  if (isOut(state)) return 0;
  if (circuit === 'open' || disagrees || figures.failureShare > FAILURE_SHARE_BAD) return 1;
  return slow === null && (state === 'healthy' || state === 'unchecked') ? 3 : 2;
}

/** The worst first; endpoints of the same severity keep their order. */
export function sorted(endpoints: readonly EndpointView[]): EndpointView[] {
  return endpoints.toSorted((a, b) => severityOf(a) - severityOf(b));
}
