/** Routes: one action each, unique names, references to what exists, edits that can have an effect. */
import { replacementProblem } from '../../routing/rewrite.ts';
import { didYouMean } from '../nearest.ts';
import { listed } from '../schema/leaves.ts';
import type { RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

const ACTIONS = ['forward', 'redirect', 'respond'] as const;

/** Everything that routes may refer to, looked up once: there can be ten thousand of each. */
interface Known {
  readonly clusters: ReadonlySet<string>;
  readonly listeners: ReadonlySet<string>;
}

export function checkRoutes(relations: Relations): void {
  checkNames(relations);
  const { clusters, listeners } = relations.config;
  const known = {
    clusters: new Set(Object.keys(clusters ?? {})),
    listeners: new Set(Object.keys(listeners)),
  };
  for (const [at, route] of relations.config.routes.entries()) {
    const path = ['routes', at];
    checkAction(route, path, relations);
    checkReferences(route, path, known, relations);
    checkRewrite(route, path, relations);
    checkFieldNames(route, path, relations);
  }
}

function checkNames({ config, document, report }: Relations): void {
  const seen = new Map<string, number>();
  for (const [at, { name }] of config.routes.entries()) {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, at);
    else {
      const line = document.line(['routes', first, 'name']);
      report(
        ['routes', at, 'name'],
        `the route name "${name}" is already used on line ${line}; logs and metrics identify routes by name`,
      );
    }
  }
}

function checkAction(route: RouteConfig, path: Path, { isLost, report }: Relations): void {
  const written = ACTIONS.filter(action => route[action] !== undefined);
  const second = written[1];
  if (second !== undefined) {
    report(
      [...path, second],
      `route ${route.name} has ${listed(written).replace(' or ', ' and ')}; only one is allowed`,
      { at: 'key' },
    );
  }
  if (isLost(...ACTIONS.map(action => [...path, action]))) return;
  if (written.length === 0)
    report(path, `route ${route.name} has no action; add forward, redirect or respond`);
  if (written[0] !== 'forward') checkUnused(route, path, report);
  const { respond } = route;
  // RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5
  if (respond !== undefined && [204, 205, 304].includes(respond.status) && (respond.body ?? '') !== '') {
    report([...path, 'respond', 'body'], `a response with status ${respond.status} cannot have a body`);
  }
}

/** Settings that only apply to forwarded requests. */
function checkUnused(route: RouteConfig, path: Path, report: Relations['report']): void {
  const { timeouts } = route;
  for (const key of ['rewrite', 'retries'] as const) {
    if (route[key] !== undefined) {
      report([...path, key], `route ${route.name} does not forward, so ${key} has no effect; remove it`, {
        at: 'key',
      });
    }
  }
  if (timeouts !== undefined) {
    report(
      [...path, 'timeouts'],
      `route ${route.name} does not forward, so timeouts has no effect; remove it`,
      { at: 'key' },
    );
  }
  if (route.headers?.request !== undefined) {
    report(
      [...path, 'headers', 'request'],
      `route ${route.name} does not forward, so headers.request has no effect; remove it`,
      { at: 'key' },
    );
  }
}

function checkReferences(
  route: RouteConfig,
  path: Path,
  { clusters, listeners }: Known,
  { isLost, report }: Relations,
): void {
  const { forward } = route;
  const needsCluster = (cluster: string, at: Path): void => {
    if (clusters.has(cluster) || isLost(['clusters', cluster])) return;
    report(at, `route ${route.name} forwards to cluster "${cluster}", which does not exist`, {
      hint: didYouMean(cluster, [...clusters]),
    });
  };
  if (forward !== undefined) {
    const { cluster, split } = forward;
    const at = [...path, 'forward'];
    if (cluster === undefined && split === undefined)
      report(at, `forward of route ${route.name} needs cluster or split`, { at: 'key' });
    if (cluster !== undefined && split !== undefined)
      report([...at, 'split'], `forward of route ${route.name} has cluster and split; only one is allowed`, {
        at: 'key',
      });
    if (cluster !== undefined) needsCluster(cluster, [...at, 'cluster']);
    for (const [index, target] of (split ?? []).entries())
      needsCluster(target.cluster, [...at, 'split', index, 'cluster']);
    if (split?.every(({ weight }) => weight === 0) === true) {
      report([...at, 'split'], `all weights of route ${route.name} are 0: no cluster would get requests`, {
        at: 'key',
      });
    }
  }
  for (const [index, listener] of (route.listeners ?? []).entries()) {
    if (listeners.has(listener) || isLost(['listeners', listener])) continue;
    report(
      [...path, 'listeners', index],
      `route ${route.name} names listener "${listener}", which does not exist`,
      { hint: didYouMean(listener, [...listeners]) },
    );
  }
}

function checkRewrite({ name, rewrite }: RouteConfig, path: Path, { report }: Relations): void {
  if (rewrite === undefined) return;
  const at = [...path, 'rewrite'];
  const beside = (['stripPrefix', 'addPrefix', 'regex'] as const).filter(key => rewrite[key] !== undefined);
  if (rewrite.replacePath !== undefined && beside.length > 0) {
    report(
      [...at, 'replacePath'],
      `replacePath of route ${name} replaces the whole path, so ${listed(beside).replace(' or ', ' and ')} would have no effect; remove one or the other`,
      { at: 'key' },
    );
  }
  if (rewrite.regex !== undefined) {
    const problem = replacementProblem(rewrite.regex.pattern, rewrite.regex.with);
    if (problem !== null)
      report([...at, 'regex', 'with'], `invalid replacement in route ${name}: ${problem}`);
  }
}

/** Field names are the same in any case (RFC 9110 section 5.1), keys of YAML are not. */
function checkFieldNames(route: RouteConfig, path: Path, { report }: Relations): void {
  const { headers, match, respond } = route;
  const groups: [Path, Readonly<Record<string, unknown>> | undefined][] = [
    [['match', 'headers'], match?.headers],
    [['respond', 'headers'], respond?.headers],
    [['headers', 'request', 'set'], headers?.request?.set],
    [['headers', 'request', 'add'], headers?.request?.add],
    [['headers', 'response', 'set'], headers?.response?.set],
    [['headers', 'response', 'add'], headers?.response?.add],
  ];
  for (const [at, fields] of groups) {
    const seen = new Map<string, string>();
    for (const name of Object.keys(fields ?? {})) {
      const first = seen.get(name.toLowerCase());
      if (first !== undefined)
        report([...path, ...at, name], `"${name}" and "${first}" are the same field`, { at: 'key' });
      seen.set(name.toLowerCase(), name);
    }
  }
}
