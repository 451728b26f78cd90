/** Recent failures by what they have in common, so that a thousand of one kind do not hide one of another. */
import type { Decision } from '../observability/decision_ring.ts';

export interface FailureGroup {
  /** Null: the backend itself responded with `status`. */
  readonly reason: Decision['reason'];
  /** Of the newest. */
  readonly status: number;
  readonly route: string | null;
  readonly cluster: string | null;
  /** Of the failures that are still kept. */
  readonly count: number;
  readonly newestAgoMs: number;
  readonly oldestAgoMs: number;
  /** The endpoints of the last attempts, those with the most failures first. */
  readonly endpoints: readonly { readonly endpoint: string; readonly count: number }[];
  /** Newest first, at most `NEWEST_MAX`. */
  readonly newest: readonly Decision[];
}

const GROUPS_MAX = 50;
const NEWEST_MAX = 8;
const ENDPOINTS_MAX = 3;

/** `failures`: newest first. The group with the newest failure comes first. */
export function groupFailures(failures: readonly Decision[], wallMs: number): FailureGroup[] {
  const groups = new Map<string, Decision[]>();
  for (const failure of failures) {
    const key = JSON.stringify([failure.reason ?? failure.status, failure.route, failure.cluster]);
    const group = groups.get(key);
    if (group !== undefined) group.push(failure);
    else if (groups.size < GROUPS_MAX) groups.set(key, [failure]);
  }
  return [...groups.values()].map(group => groupOf(group, wallMs));
}

function groupOf(failures: readonly Decision[], wallMs: number): FailureGroup {
  const [newest] = failures as readonly [Decision, ...Decision[]];
  const agoMs = (failure: Decision): number => Math.max(0, wallMs - Date.parse(failure.time));
  const counts = new Map<string, number>();
  for (const { attempts } of failures) {
    const endpoint = attempts.at(-1)?.endpoint;
    if (endpoint !== undefined) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  }
  const { reason, status, route, cluster } = newest;
  return {
    reason,
    status,
    route,
    cluster,
    count: failures.length,
    newestAgoMs: agoMs(newest),
    oldestAgoMs: agoMs(failures.at(-1) ?? newest),
    endpoints: [...counts]
      .map(([endpoint, count]) => ({ endpoint, count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, ENDPOINTS_MAX),
    newest: failures.slice(0, NEWEST_MAX),
  };
}
