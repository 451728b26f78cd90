/**
 * Builds a data plane from a plan: routers, pools, limiters, header edits. Everything that can be decided before the first
 * request is decided here, in two steps:
 *
 *   prepareRoutes   what depends on the plan alone, in slices: most of the time that a large plan takes
 *   assemblePlane   what touches the state of the running process, in one turn, which is the turn of the swap
 *
 * Run-time state is found by key, so that it survives a reload exactly as long as the settings that gave it meaning: an
 * unchanged cluster keeps its pool, with connections, queue, health and counters.
 */
import type { Plan } from '../config/plan.ts';
import type {
  BoundAction,
  BoundCluster,
  BoundListener,
  BoundRoute,
  DataPlane,
  SettingOrigins,
} from '../http/data_plane.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import { openRedis } from '../net/redis_connection.ts';
import { runAtOnce, type SlicedWork } from '../resilience/time_slices.ts';
import { buildMaintenance } from '../routing/maintenance.ts';
import { requestEditsOf } from '../routing/request_edits.ts';
import { buildRedirect, buildRewrite } from '../routing/rewrite.ts';
import type { RouteLimits, RouteSettings } from '../routing/route.ts';
import { buildRouterInSlices, type Router } from '../routing/router.ts';
import { buildSplit } from '../routing/split.ts';
import { buildAccessList } from '../security/access.ts';
import { BasicAuth } from '../security/basic_auth.ts';
import { buildNetworkSet, buildProxyTrust } from '../security/client_address.ts';
import { buildHeaderEdits } from '../security/headers.ts';
import { LimitStore, type LimitStoreSettings } from '../security/limit_store.ts';
import { StoreLimits } from '../security/limits_in_store.ts';
import { PasswordChecks } from '../security/password_checks.ts';
import { Allowances, RateLimiter, type RateLimitSettings, RouteAllowances } from '../security/rate_limit.ts';
import { assembleCluster } from './assemble_cluster.ts';
import { startPasswordWorker } from './password_worker_thread.ts';
import type { Runtime } from './runtime_state.ts';

/** Metric label of requests that match no route. */
const NO_ROUTE = '-';

/** Routes without what they need of the running process. */
type PreparedRoute = Omit<BoundRoute, 'action' | 'rateLimiters' | 'storeLimits' | 'basicAuth' | 'handles'>;

interface PreparedListener {
  readonly routes: readonly PreparedRoute[];
  /** Not to be asked before `assemblePlane` has completed its routes. */
  readonly router: Router<BoundRoute>;
}

/** By the name of the listener. */
export type PreparedRoutes = ReadonlyMap<string, PreparedListener>;

export function* prepareRoutes(plan: Plan): SlicedWork<PreparedRoutes> {
  const prepared = new Map<string, PreparedListener>();
  for (const { name } of Object.values(plan.listeners)) {
    const routes: PreparedRoute[] = [];
    for (const route of plan.routes) {
      const limits = route.listeners[name];
      if (limits !== undefined) routes.push(prepareRoute(route, limits, plan));
      yield;
    }
    const entries = routes.map(route => ({ match: route.settings.match, value: route as BoundRoute }));
    prepared.set(name, { routes, router: yield* buildRouterInSlices(entries) });
  }
  return prepared;
}

function prepareRoute(settings: RouteSettings, limits: RouteLimits, { tracing, pages }: Plan): PreparedRoute {
  const { maintenance } = settings;
  return {
    settings,
    limits,
    rewrite: buildRewrite(settings.rewrite),
    requestEdits: buildHeaderEdits(requestEditsOf(settings, tracing.propagate)),
    responseEdits: buildHeaderEdits(settings.headers.response),
    access: buildAccessList(settings.access),
    maintenance: maintenance === null ? null : buildMaintenance(maintenance, pages),
  };
}

/** Both steps in one turn: for a start, when nothing waits yet. */
export function assembleAtOnce(plan: Plan, origins: SettingOrigins, runtime: Runtime): DataPlane {
  return assemblePlane(plan, runAtOnce(prepareRoutes(plan)), origins, runtime);
}

export function assemblePlane(
  plan: Plan,
  prepared: PreparedRoutes,
  origins: SettingOrigins,
  runtime: Runtime,
): DataPlane {
  const clusters = new Map(
    Object.values(plan.clusters).map(settings => [settings.name, assembleCluster(settings, runtime)]),
  );
  const stores = new Map(
    Object.values(plan.stores).map(settings => [settings.name, assembleStore(settings, runtime)]),
  );
  const listeners = new Map(
    Object.values(plan.listeners).map(settings => [
      settings.name,
      bindListener(settings, prepared, clusters, stores, runtime),
    ]),
  );
  const { explainFrom } = plan.logging;
  return {
    digest: plan.digest,
    listeners,
    clusters,
    stores,
    origins,
    tracing: {
      propagate: plan.tracing.propagate,
      start: plan.tracing.start,
      sample: plan.tracing.otlp?.sample ?? null,
    },
    explainFrom: explainFrom.length === 0 ? null : buildNetworkSet(explainFrom),
  };
}

function bindListener(
  settings: ListenerSettings,
  prepared: PreparedRoutes,
  clusters: ReadonlyMap<string, BoundCluster>,
  stores: ReadonlyMap<string, LimitStore>,
  runtime: Runtime,
): BoundListener {
  const listener = prepared.get(settings.name);
  if (listener === undefined) throw new Error(`the routes of listener ${settings.name} are not prepared`);
  for (const route of listener.routes) completeRoute(route, settings.name, clusters, stores, runtime);
  return {
    settings,
    router: listener.router,
    trust: buildProxyTrust(settings),
    access: buildAccessList(settings.access),
    handles: runtime.metrics.route(settings.name, NO_ROUTE),
  };
}

/** In place: the router holds the route already. */
function completeRoute(
  route: PreparedRoute,
  listener: string,
  clusters: ReadonlyMap<string, BoundCluster>,
  stores: ReadonlyMap<string, LimitStore>,
  runtime: Runtime,
): void {
  const { settings } = route;
  const rest: Omit<BoundRoute, keyof PreparedRoute> = {
    action: bindAction(settings, clusters),
    // Most routes have none, and all routes of a plan are completed in one turn.
    rateLimiters: settings.rateLimits.length === 0 ? [] : bindLimits(settings, runtime),
    storeLimits: settings.rateLimits.length === 0 ? null : bindStoreLimits(settings, stores),
    basicAuth: bindBasicAuth(settings, runtime),
    handles: runtime.metrics.route(listener, settings.name),
  };
  Object.assign(route, rest);
}

/** It connects in the background; a start or reload does not wait for it. */
function assembleStore(
  settings: LimitStoreSettings,
  { clock, random, metrics, registry, telemetry }: Runtime,
): LimitStore {
  const { name } = settings;
  const handles = metrics.store(name);
  return registry.getOrCreate(`limit store ${JSON.stringify(settings)}`, () => {
    const observer = {
      onChange: (why: string | null) => telemetry.emit({ kind: 'limit_store', store: name, why }),
      onAnswer: handles.answered,
      onFailure: handles.failed,
    };
    return new LimitStore(settings, openRedis, clock, random, observer);
  });
}

function bindStoreLimits(
  { name, rateLimits }: RouteSettings,
  stores: ReadonlyMap<string, LimitStore>,
): StoreLimits | null {
  const shared = rateLimits.filter(({ store }) => store !== null);
  const store = stores.get(shared[0]?.store ?? '');
  return store === undefined ? null : new StoreLimits(name, shared, store);
}

function bindBasicAuth({ basicAuth }: RouteSettings, { clock, registry }: Runtime): BasicAuth | null {
  if (basicAuth === null) return null;
  const checks = registry.getOrCreate(
    'password checks',
    () => new PasswordChecks(startPasswordWorker, clock),
  );
  return new BasicAuth(basicAuth, checks);
}

function bindLimits(
  { name, rateLimits: all }: RouteSettings,
  { clock, metrics, registry }: Runtime,
): RateLimiter[] {
  for (const limit of all) metrics.limiter(limit.name);
  const rateLimits = all.filter(({ store }) => store === null);
  const byKey = Map.groupBy(rateLimits, ({ key }) => JSON.stringify(key));
  const allowances = new Map<RateLimitSettings, Allowances>();
  for (const [key, limits] of byKey) {
    const ofRoute = registry.getOrCreate(
      `limits ${JSON.stringify(name)} ${key}`,
      () => new RouteAllowances(),
    );
    for (const [at, found] of ofRoute.assign(limits, () => new Allowances(clock)).entries())
      allowances.set(limits[at] as RateLimitSettings, found);
  }
  return rateLimits.map(limit => new RateLimiter(limit, allowances.get(limit) ?? new Allowances(clock)));
}

function bindAction({ action }: RouteSettings, clusters: ReadonlyMap<string, BoundCluster>): BoundAction {
  switch (action.kind) {
    case 'forward':
      return {
        kind: 'forward',
        split: buildSplit(
          action.targets.map(({ cluster, weight }) => {
            const value = clusters.get(cluster);
            if (value === undefined) throw new Error(`a plan names only clusters that it has: ${cluster}`);
            return { weight, value };
          }),
        ),
      };
    case 'redirect':
      return { kind: 'redirect', status: action.status, to: buildRedirect(action.to) };
    case 'respond':
      return { kind: 'respond', status: action.status, headers: action.headers.flat(), body: action.body };
  }
}
