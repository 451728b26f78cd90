/**
 * Where recent requests would go with another configuration, without applying it. The requests are those of the decision
 * records: recent failures, and one success a second. They are matched as they came, with all their fields, which never
 * leave the process: only the routes of the other configuration come in, and names and counts go out.
 */
import type { Plan } from '../config/plan.ts';
import type { DecisionRing } from '../observability/decision_ring.ts';
import type { SlicedWork } from '../resilience/time_slices.ts';
import type { RouteMatch, RouteSettings } from '../routing/route.ts';
import { buildRouterInSlices, type Router } from '../routing/router.ts';
import type { RequestHead } from '../security/request_head.ts';
import { describeAction } from './status.ts';

/** What decides where a request goes. */
interface ShadowRoute {
  readonly name: string;
  readonly listeners: readonly string[];
  readonly match: RouteMatch;
  /** Where it sends them: `app`, `redirect 308`. */
  readonly action: string;
}

/** What `fairlead check --against-running` sends. */
export interface ShadowRequest {
  /** Of the sender: another version may mean another thing by the same form. */
  readonly version: string;
  readonly listeners: readonly string[];
  readonly routes: readonly ShadowRoute[];
}

interface Elsewhere {
  /** `route api (app)`, `no route`, `no listener`. */
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** The latest requests of these: `GET www.example.com/a`. */
  readonly examples: readonly string[];
}

export interface ShadowResult {
  /** How many recent requests were matched. */
  readonly matched: number;
  /** Most frequent first. */
  readonly elsewhere: readonly Elsewhere[];
}

const EXAMPLES_MAX = 3;

export function shadowRequestOf({ listeners, routes }: Plan, version: string): ShadowRequest {
  return {
    version,
    listeners: Object.keys(listeners),
    routes: routes.map(route => shadowRouteOf(route)),
  };
}

function shadowRouteOf(route: RouteSettings): ShadowRoute {
  const { name, listeners, match } = route;
  return { name, listeners: Object.keys(listeners), match, action: describeAction(route) };
}

/** Throws where `next` is not what `shadowRequestOf` makes. */
export function* shadowCheck(
  ring: DecisionRing,
  running: Plan,
  next: ShadowRequest,
): SlicedWork<ShadowResult> {
  const before = new ShadowRouters(shadowRequestOf(running, next.version));
  const after = new ShadowRouters(next);
  const found = new Map<string, { from: string; to: string; count: number; examples: string[] }>();
  let matched = 0;
  for (const { listener, head } of ring.heads()) {
    matched++;
    const [from, to] = [yield* before.goesTo(listener, head), yield* after.goesTo(listener, head)];
    if (from === to) continue;
    const key = JSON.stringify([from, to]);
    const group = found.get(key) ?? { from, to, count: 0, examples: [] };
    group.count++;
    if (group.examples.length < EXAMPLES_MAX)
      group.examples.push(`${head.method} ${head.authority}${head.path}`);
    found.set(key, group);
  }
  return { matched, elsewhere: [...found.values()].sort((a, b) => b.count - a.count) };
}

/** Routers of one configuration, built for the listeners that are asked for. */
class ShadowRouters {
  readonly #plan: ShadowRequest;
  readonly #routers = new Map<string, Router<ShadowRoute>>();

  constructor(plan: ShadowRequest) {
    this.#plan = plan;
  }

  *goesTo(listener: string, head: RequestHead): SlicedWork<string> {
    if (!this.#plan.listeners.includes(listener)) return 'no listener';
    const route = (yield* this.#routerOf(listener)).match(head);
    return route === null ? 'no route' : `route ${route.name} (${route.action})`;
  }

  *#routerOf(listener: string): SlicedWork<Router<ShadowRoute>> {
    const known = this.#routers.get(listener);
    if (known !== undefined) return known;
    const routes = this.#plan.routes.filter(route => route.listeners.includes(listener));
    const router = yield* buildRouterInSlices(routes.map(route => ({ match: route.match, value: route })));
    this.#routers.set(listener, router);
    return router;
  }
}
