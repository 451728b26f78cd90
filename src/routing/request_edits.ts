/** The edits of a route on the way to the backend, with what is for this proxy alone taken out first. */
import type { HeaderEdits } from '../security/headers.ts';
import type { RouteSettings } from './route.ts';

/** What backends do not get where traces are not passed on. */
const TRACE_FIELDS = ['traceparent', 'tracestate'];

/** Removed before the route's own `set` and `add`: those may put other credentials in their place. */
export function requestEditsOf(
  { headers: { request }, basicAuth }: Pick<RouteSettings, 'headers' | 'basicAuth'>,
  propagate: boolean,
): HeaderEdits {
  const own = propagate ? [] : [...TRACE_FIELDS];
  if (basicAuth !== null && !basicAuth.forwardAuthorization) own.push('authorization');
  return own.length === 0 ? request : { ...request, remove: [...request.remove, ...own] };
}
