/** The edits of a route's request fields, with the removal of fields that are only for this proxy. */
import type { HeaderEdits } from '../security/headers.ts';
import type { RouteSettings } from './route.ts';

/** Fields that backends do not get if traces are not passed on. */
const TRACE_FIELDS = ['traceparent', 'tracestate'];

/** Removal comes before the route's own `set` and `add`, so that those can put in other credentials. */
export function requestEditsOf(
  { headers: { request }, basicAuth }: Pick<RouteSettings, 'headers' | 'basicAuth'>,
  propagate: boolean,
): HeaderEdits {
  const own = propagate ? [] : [...TRACE_FIELDS];
  if (basicAuth !== null && !basicAuth.forwardAuthorization) own.push('authorization');
  return own.length === 0 ? request : { ...request, remove: [...request.remove, ...own] };
}
