/** A decision record with everything that can be derived from it when it is shown. */
import type { Plan } from '../config/plan.ts';
import type { DataPlane, SettingOrigins } from '../http/data_plane.ts';
import { type Decision, type DecisionRing, describeCause } from '../observability/decision_ring.ts';
import type { RequestHead } from '../security/request_head.ts';
import { describeEdits } from './edits_in_force.ts';
import { type Elsewhere, findElsewhere } from './elsewhere.ts';
import { conditionOf, unresolvedOf } from './endpoint_condition.ts';
import { routeOf } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { grpcHint } from './grpc_hint.ts';
import { describeLimits } from './settings_in_force.ts';
import type { EndpointCondition } from './status_view.ts';

export interface ExplainedDecision extends Decision {
  readonly cause: string;
  readonly clientFrom: string;
  /** Why more specific routes did not match; null if that is no longer known. */
  readonly nearer: readonly { readonly route: string; readonly reason: string }[] | null;
  /** The present state of the endpoints of the cluster, which is the cause if no endpoint was used. */
  readonly endpoints: readonly EndpointCondition[];
  /** Limits and timeouts in force, with the line that set each. */
  readonly limits: Explanation['limits'];
  /** Access, rewrites and headers of the route, with the line that set each. */
  readonly settings: Explanation['settings'];
  /** Where it might have been meant to go; null: a route matched, or what is needed to tell is no longer kept. */
  readonly elsewhere: Elsewhere | null;
  /** What of the configuration cannot work for this request, and what to change. */
  readonly hints: readonly string[];
}

const ENDPOINTS_SHOWN_MAX = 50;
const LISTED_MAX = 200;
const LISTED_DEFAULT = 50;

export function listDecisions(ring: DecisionRing, query: Readonly<Record<string, unknown>>) {
  const text = (key: string) => (typeof query[key] === 'string' ? { [key]: query[key] } : {});
  const limit = Number(query['limit'] ?? LISTED_DEFAULT);
  const filter = { ...text('reason'), ...text('route'), ...text('cluster') };
  const listed = Number.isInteger(limit) && limit > 0 ? Math.min(limit, LISTED_MAX) : LISTED_DEFAULT;
  return ring.list(filter, listed).map(decision => ({ ...decision, cause: describeCause(decision) }));
}

/** A plan that runs or ran, with the origins of its values. */
interface KnownPlan {
  readonly plan: Plan;
  readonly origins: SettingOrigins;
}

/** `known` finds the plan of the request, while it is kept. */
export function explainDecision(
  ring: DecisionRing,
  id: string,
  plane: DataPlane,
  known: (digest: string) => KnownPlan | null,
  nowMs: number,
): ExplainedDecision | null {
  const kept = ring.find(id);
  if (kept === null) return null;
  const { decision } = kept;
  const then = known(decision.plan);
  const { head } = kept;
  return {
    ...decision,
    cause: describeCause(decision),
    clientFrom: clientFrom(decision),
    nearer: then === null || head === null ? null : routeOf(then.plan, decision.listener, head).nearer,
    endpoints: endpointsNow(plane, decision.cluster, nowMs),
    ...settingsThen(decision, then),
    hints: then === null || head === null ? [] : hintsFor(decision, head, then),
    elsewhere:
      then === null || head === null || decision.reason !== 'no_route'
        ? null
        : findElsewhere(then.plan, decision.listener, head),
  };
}

function settingsThen(
  { listener, route }: Decision,
  then: KnownPlan | null,
): Pick<ExplainedDecision, 'limits' | 'settings'> {
  const settings = then?.plan.listeners[listener];
  if (then === null || settings === undefined) return { limits: [], settings: [] };
  const { plan, origins } = then;
  const matched = plan.routes.find(({ name }) => name === route) ?? null;
  return {
    limits: describeLimits(plan, matched, settings, origins),
    settings: describeEdits(matched, settings, origins),
  };
}

function hintsFor({ cluster }: Decision, { headers }: RequestHead, { plan, origins }: KnownPlan): string[] {
  const hint = cluster === null ? null : grpcHint(plan, origins, [cluster], headers);
  return hint === null ? [] : [hint];
}

function endpointsNow(plane: DataPlane, name: string | null, nowMs: number): ExplainedDecision['endpoints'] {
  const cluster = name === null ? undefined : plane.clusters.get(name);
  if (cluster === undefined) return [];
  const all = [
    ...cluster.pool.backends.map(backend => conditionOf(backend, nowMs)),
    ...unresolvedOf(cluster, nowMs),
  ];
  return all.slice(0, ENDPOINTS_SHOWN_MAX);
}

function clientFrom({ client }: Decision): string {
  const { peer, connection, source } = client;
  if (source !== 'connection') return `${source}, from the trusted proxy ${connection}`;
  if (connection !== peer) return `the PROXY protocol, from the load balancer ${peer}`;
  if (!client.trusted) return 'the peer itself: it is not a trusted proxy';
  return 'the peer itself: a trusted proxy that named no other client';
}
