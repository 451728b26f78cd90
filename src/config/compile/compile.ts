/**
 * Compiles a valid configuration to the frozen plan: defaults written out, units resolved, references bound, files
 * read, routes sorted. The origin of each value is noted on the way.
 */
import type { ResourceAttributes } from '../../observability/otlp_resource.ts';
import { compareRoutes } from '../../routing/matcher.ts';
import type { RouteSettings } from '../../routing/route.ts';
import type { Plan, ProbationSettings } from '../plan.ts';
import type { PlanOrigins } from '../plan_origins.ts';
import type { Config } from '../schema/schema.ts';
import type { Document } from '../text/document.ts';
import { compileCluster } from './cluster.ts';
import { seal } from './freeze.ts';
import { compileListener } from './listener.ts';
import { PageShelf, readPage } from './maintenance.ts';
import type { Materials } from './materials.ts';
import { Origins, Scope } from './origins.ts';
import { compileRoute } from './route.ts';
import { compileStore } from './store.ts';

interface Compiled {
  readonly plan: Plan;
  readonly origins: PlanOrigins;
  /** The routes in the order of the file, for messages about lines. */
  readonly routes: readonly RouteSettings[];
}

export function compile(config: Config, document: Document, materials: Materials): Compiled {
  const origins = new Origins(document);
  origins.note('version', ['version']);
  const clusters = byName(config.clusters ?? {}, (cluster, name) =>
    compileCluster(name, cluster, origins, materials),
  );
  const listeners = byName(config.listeners, (listener, name) =>
    compileListener(name, listener, origins, materials),
  );
  const pages = new PageShelf(origins);
  const routes = config.routes.map((route, at) =>
    compileRoute(route, at, listeners, origins, materials, pages),
  );
  // Also where no route has it now: a prepared page must be there when it is needed.
  if (config.maintenance !== undefined) readPage(config.maintenance, ['maintenance'], materials);
  const plan = seal({
    version: 1,
    admin: compileAdmin(config, origins, materials),
    process: compileProcess(config, origins),
    logging: compileLogging(config, origins, materials),
    tracing: compileTracing(config, origins, materials),
    listeners,
    // Equally specific ones by name, so that the order in the file changes nothing.
    routes: routes.toSorted((a, b) => compareRoutes(a, b) || (a.name < b.name ? -1 : 1)),
    clusters,
    pages: pages.all,
    stores: byName(config.stores ?? {}, (store, name) => compileStore(name, store, origins, materials)),
  });
  return { plan, origins: origins.noted, routes };
}

function compileAdmin({ admin }: Config, origins: Origins, materials: Materials): Plan['admin'] {
  const isMapping = typeof admin === 'object';
  origins.note('admin.address', isMapping ? ['admin', 'address'] : ['admin']);
  origins.note('admin.token', ['admin', 'token']);
  const written = isMapping ? admin.address : admin;
  const isOff = written === undefined || written === 'off';
  return {
    address: isOff ? null : materials.address(written, ['admin', 'address']),
    token: (isMapping ? admin.token : undefined) ?? null,
  };
}

function compileProcess(config: Config, origins: Origins): Plan['process'] {
  const scope = new Scope(origins, config.process, 'process', ['process']);
  return {
    drain: {
      delayMs: scope.number('drain.delayMs', 'process.drain.delay'),
      timeoutMs: scope.number('drain.timeoutMs', 'process.drain.timeout'),
    },
    reload: {
      watch: scope.choice('reload.watch', 'process.reload.watch'),
      historyMax: scope.number('reload.historyMax', 'process.reload.history'),
      probation: compileProbation(config, scope),
    },
    overload: {
      eventLoopDelayMs: scope.limit('overload.eventLoopDelayMs', 'process.overload.eventLoopDelay'),
      heapRatio: scope.limit('overload.heapRatio', 'process.overload.heapRatio'),
    },
    connectionsMax: scope.number('connectionsMax', 'process.connections'),
    bufferedBytesMax: scope.limit('bufferedBytesMax', 'process.bufferedBytes'),
  };
}

/** Off unless written: how many failures are too many depends on the backends. */
function compileProbation({ process: written }: Config, scope: Scope): ProbationSettings | null {
  if (typeof written?.reload?.probation !== 'object')
    return scope.part('reload.probation', ['reload', 'probation'], null);
  const at = 'reload.probation';
  return {
    windowMs: scope.number(`${at}.windowMs`, 'process.reload.probation.window'),
    failureRatioMax: scope.number(`${at}.failureRatioMax`, 'process.reload.probation.maxFailureRatio'),
    requestsMin: scope.number(`${at}.requestsMin`, 'process.reload.probation.minRequests'),
  };
}

function compileLogging({ logging }: Config, origins: Origins, materials: Materials): Plan['logging'] {
  const scope = new Scope(origins, logging, 'logging', ['logging']);
  const access = typeof logging?.access === 'object' ? logging.access : undefined;
  return {
    level: scope.choice('level', 'logging.level'),
    format: scope.choice('format', 'logging.format'),
    time: scope.choice('time', 'logging.time'),
    file: scope.part('file', ['file'], logging?.file === undefined ? null : materials.path(logging.file)),
    access: {
      enabled: scope.part('access.enabled', ['access'], logging?.access !== 'off'),
      sample: scope.number('access.sample', 'logging.access.sample'),
      format: scope.choice('access.format', 'logging.access.format'),
      redactQuery: scope.part('access.redactQuery', ['access', 'redactQuery'], access?.redactQuery ?? []),
    },
    explainFrom: scope.part('explainFrom', ['explain', 'from'], logging?.explain?.from ?? []),
  };
}

function compileTracing({ tracing }: Config, origins: Origins, materials: Materials): Plan['tracing'] {
  const scope = new Scope(origins, tracing, 'tracing', ['tracing']);
  const propagate = scope.choice('propagate', 'tracing.propagate');
  const start = scope.choice('start', 'tracing.start');
  const otlp = tracing?.otlp;
  if (otlp === undefined) return { propagate, start, otlp: scope.part('otlp', ['otlp'], null) };
  return {
    propagate,
    start,
    otlp: {
      endpoint: scope.part('otlp.endpoint', ['otlp', 'endpoint'], otlp.endpoint),
      sample: scope.number('otlp.sample', 'tracing.otlp.sample'),
      timeoutMs: scope.number('otlp.timeoutMs', 'tracing.otlp.timeout'),
      headers: scope.part('otlp.headers', ['otlp', 'headers'], Object.entries(otlp.headers ?? {})),
      resource: compileResource(otlp.resource ?? {}, origins, materials),
    },
  };
}

function compileResource(
  written: ResourceAttributes,
  origins: Origins,
  materials: Materials,
): ResourceAttributes {
  const path = ['tracing', 'otlp', 'resource'];
  const { attributes, fromEnvironment } = materials.resource(written, path.slice(0, -1));
  for (const name of Object.keys(attributes)) {
    const planPath = `${path.join('.')}.${name}`;
    const variable = fromEnvironment.get(name);
    if (variable === undefined) origins.note(planPath, [...path, name]);
    else origins.noteVariable(planPath, variable);
  }
  return attributes;
}

/** Sorted by name, so that the same plan has the same text. */
function byName<T, U>(
  items: Readonly<Record<string, T>>,
  compileItem: (item: T, name: string) => U,
): Record<string, U> {
  const entries = Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, compileItem(item, name)]));
}
