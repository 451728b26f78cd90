/** What is allowed and probably not meant. */
import { compareRoutes } from '../routing/matcher.ts';
import type { RouteSettings } from '../routing/route.ts';
import { compileRouter } from '../routing/router.ts';
import type { Document, Path } from './document.ts';
import type { Plan } from './plan.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { formatDuration } from './units.ts';

export function lint(config: Config, plan: Plan, document: Document): Problem[] {
  const warnings: Problem[] = [];
  const warn = (path: Path, message: string): void =>
    void warnings.push(document.problem('warning', path, message, { at: 'key' }));
  lintClusters(config, plan, warn);
  lintRoutes(config, plan, document, warnings);
  lintProcess(config, plan, warn);
  return warnings;
}

function lintClusters(config: Config, plan: Plan, warn: (path: Path, message: string) => void): void {
  const used = new Set(
    plan.routes.flatMap(({ action }) =>
      action.kind === 'forward' ? action.targets.map(({ cluster }) => cluster) : [],
    ),
  );
  for (const [name, cluster] of Object.entries(plan.clusters)) {
    const path = ['clusters', name];
    if (!used.has(name)) warn(path, `no route forwards to the cluster ${name}`);
    if (
      cluster.endpoints.length > 1 &&
      cluster.health.active === null &&
      config.clusters?.[name]?.health?.active === undefined
    ) {
      warn(
        path,
        `cluster ${name} has no active health check: a dead endpoint is found out by requests that fail (add health.active, or write active: off)`,
      );
    }
    if (cluster.tls?.verify === false)
      warn(
        [...path, 'tls', 'verify'],
        `cluster ${name} accepts any certificate: whoever is on the way can read and change its traffic`,
      );
  }
}

/** A route is shadowed when a more specific one takes all that it could match. */
function lintRoutes(config: Config, plan: Plan, document: Document, warnings: Problem[]): void {
  const exact = plan.routes.filter(({ match }) => match.path.kind === 'exact');
  for (const route of exact) {
    const shadow = plan.routes.find(
      other => other !== route && compareRoutes(other, route) < 0 && covers(other, route),
    );
    if (shadow === undefined) continue;
    const at = config.routes.findIndex(({ name }) => name === route.name);
    warnings.push(
      document.problem(
        'warning',
        ['routes', at, 'name'],
        `route ${route.name} can never match: route ${shadow.name} takes all its requests`,
      ),
    );
  }
}

function covers(wide: RouteSettings, narrow: RouteSettings): boolean {
  const unconditional =
    wide.match.methods.length === 0 && wide.match.headers.length === 0 && wide.match.query.length === 0;
  const hosts =
    wide.match.hosts.length === 0 ||
    (narrow.match.hosts.length > 0 && narrow.match.hosts.every(host => wide.match.hosts.includes(host)));
  const listeners = Object.keys(narrow.listeners).every(name => name in wide.listeners);
  return unconditional && hosts && listeners && takesPath(wide, narrow.match.path.value);
}

function takesPath({ match }: RouteSettings, path: string): boolean {
  const router = compileRouter([{ match: { ...match, hosts: [] }, value: true }]);
  return router.match({ method: 'GET', matchHost: '', matchPath: path, query: '', headers: [] }) === true;
}

function lintProcess(config: Config, plan: Plan, warn: (path: Path, message: string) => void): void {
  const address = plan.admin.address;
  if (address?.kind === 'tcp' && !['127.0.0.1', '::1', 'localhost'].includes(address.host)) {
    warn(
      ['admin', 'address'],
      'the admin API listens beyond loopback and has no password: anybody who reaches it can reload and drain',
    );
  }
  const longestMs = Math.max(0, ...Object.values(plan.listeners).map(({ limits }) => limits.requestMs ?? 0));
  if (
    config.process?.drain?.timeout !== undefined &&
    plan.process.drain.timeoutMs < longestMs &&
    plan.process.drain.timeoutMs < 5_000
  ) {
    warn(
      ['process', 'drain', 'timeout'],
      `requests may take ${formatDuration(longestMs)}, but a shutdown cuts them after ${formatDuration(plan.process.drain.timeoutMs)}`,
    );
  }
}
