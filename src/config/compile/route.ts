/** Compiles one route. */
import type { ListenerSettings } from '../../http/listener_settings.ts';
import { normalizePathLiteral } from '../../routing/pattern.ts';
import type {
  NamedMatch,
  RouteAction,
  RouteLimits,
  RouteMatch,
  RouteSettings,
  TextMatch,
} from '../../routing/route.ts';
import type { HeaderEdits } from '../../security/headers.ts';
import type { RateLimitSettings } from '../../security/rate_limit.ts';
import { BASIC_AUTH_REALM, CHOICES, RATE_GRACE_MS, RETRY_ON } from '../schema/defaults.ts';
import type { EditsConfig, MatchConfig, RateLimitConfig, RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';
import { compileMaintenance, type PageShelf } from './maintenance.ts';
import type { Materials } from './materials.ts';
import { type Origins, Scope } from './origins.ts';

export function compileRoute(
  route: RouteConfig,
  at: number,
  listeners: Readonly<Record<string, ListenerSettings>>,
  origins: Origins,
  materials: Materials,
  pages: PageShelf,
): RouteSettings {
  const path: Path = ['routes', at];
  const scope = new Scope(origins, route, `routes.${route.name}`, path);
  return {
    name: scope.part('name', ['name'], route.name),
    match: compileMatch(route.match, scope),
    action: compileAction(route, scope),
    rewrite: compileRewrite(route, scope),
    headers: {
      request: compileEdits(route.headers?.request, 'request', scope),
      response: compileEdits(route.headers?.response, 'response', scope),
    },
    listeners: compileListeners(route, path, listeners, origins),
    responseHeadMs: scope.limit('responseHeadMs', 'routes.timeouts.responseHead'),
    responseIdleMs: scope.limit('responseIdleMs', 'routes.timeouts.responseIdle'),
    tunnelIdleMs: scope.limit('tunnelIdleMs', 'routes.timeouts.tunnelIdle'),
    retries: compileRetries(route, scope),
    rateLimits: scope
      .part('rateLimits', ['rateLimits'], route.rateLimits ?? [])
      .map((limit, index) => compileRateLimit(route.name, limit, index, path, origins)),
    access: {
      allow: scope.part('access.allow', ['access', 'allow'], route.access?.allow ?? []),
      deny: scope.part('access.deny', ['access', 'deny'], route.access?.deny ?? []),
    },
    maintenance: compileMaintenance(route, scope, [...path, 'maintenance'], materials, pages),
    basicAuth: compileBasicAuth(route, scope, [...path, 'basicAuth'], materials),
  };
}

function compileBasicAuth(
  { basicAuth }: RouteConfig,
  scope: Scope,
  path: Path,
  materials: Materials,
): RouteSettings['basicAuth'] {
  if (basicAuth === undefined) return scope.part('basicAuth', ['basicAuth'], null);
  return {
    realm: scope.part('basicAuth.realm', ['basicAuth', 'realm'], basicAuth.realm ?? BASIC_AUTH_REALM),
    users: scope.part(
      'basicAuth.users',
      ['basicAuth', 'file'],
      materials.readUsers(basicAuth.file, [...path, 'file']),
    ),
    forwardAuthorization: scope.choice(
      'basicAuth.forwardAuthorization',
      'routes.basicAuth.forwardAuthorization',
    ),
  };
}

function compileListeners(
  route: RouteConfig,
  path: Path,
  listeners: Readonly<Record<string, ListenerSettings>>,
  origins: Origins,
): Record<string, RouteLimits> {
  const served = [...new Set(route.listeners ?? Object.keys(listeners))].sort();
  return Object.fromEntries(
    served
      .filter(name => Object.hasOwn(listeners, name))
      .map(name => [name, combineLimits(route, path, name, listeners, origins)]),
  );
}

/** The rule for limits that both a route and its listener can have: the route's value, otherwise the listener's. */
function combineLimits(
  route: RouteConfig,
  path: Path,
  name: string,
  listeners: Readonly<Record<string, ListenerSettings>>,
  origins: Origins,
): RouteLimits {
  const plan = `routes.${route.name}.listeners.${name}`;
  const inherited = listeners[name]?.limits;
  const inherit = (key: keyof RouteLimits) =>
    origins.noteSame(`${plan}.${key}`, `listeners.${name}.limits.${key}`);
  const combine = (
    key: Exclude<keyof RouteLimits, 'rateGraceMs'>,
    place: Path,
    own: number | null | undefined,
  ): number | null => {
    if (own === undefined) {
      inherit(key);
      return inherited?.[key] ?? null;
    }
    origins.note(`${plan}.${key}`, [...path, ...place]);
    return own;
  };
  inherit('rateGraceMs');
  const { timeouts, limits } = route;
  const up = limits?.minUploadRate;
  const down = limits?.minDownloadRate;
  return {
    requestMs: combine('requestMs', ['timeouts', 'request'], timeouts?.request),
    bodyIdleMs: combine('bodyIdleMs', ['timeouts', 'bodyIdle'], undefined),
    bodyBytesMax: combine('bodyBytesMax', ['limits', 'bodyBytes'], limits?.bodyBytes),
    uploadBytesPerSecondMin: combine('uploadBytesPerSecondMin', ['limits', 'minUploadRate'], up),
    downloadBytesPerSecondMin: combine('downloadBytesPerSecondMin', ['limits', 'minDownloadRate'], down),
    rateGraceMs: inherited?.rateGraceMs ?? RATE_GRACE_MS,
  };
}

function compileMatch(match: MatchConfig | undefined, scope: Scope | null): RouteMatch {
  for (const key of ['hosts', 'path', 'methods', 'headers', 'query'] as const) {
    scope?.note(`match.${key}`, match?.[key] === undefined ? null : ['match', key]);
  }
  return {
    hosts: (match?.hosts ?? []).map(host => host.toLowerCase()),
    path: compilePath(match?.path),
    methods: match?.methods ?? [],
    headers: compileNamed(match?.headers, name => name.toLowerCase()),
    query: compileNamed(match?.query, name => name),
  };
}

/** Literal paths are normalised like the paths of requests, so that `/%61` and `/a` are the same. */
function compilePath(path: MatchConfig['path']): RouteMatch['path'] {
  if (path?.exact !== undefined) return { kind: 'exact', value: normalizePathLiteral(path.exact) };
  if (path?.template !== undefined) return { kind: 'template', value: normalizePathLiteral(path.template) };
  if (path?.regex !== undefined) return { kind: 'regex', value: path.regex };
  const prefix = normalizePathLiteral(path?.prefix ?? '/');
  return { kind: 'prefix', value: prefix.replace(/\/+$/, '') || '/' };
}

type Condition = NonNullable<NonNullable<MatchConfig['headers']>[string]>;

function compileNamed(
  conditions: Readonly<Record<string, Condition>> | undefined,
  normalise: (name: string) => string,
): NamedMatch[] {
  return Object.entries(conditions ?? {}).map(([name, condition]) => ({
    name: normalise(name),
    test: compileTest(condition),
  }));
}

function compileTest(condition: Condition): TextMatch {
  if (typeof condition === 'string') return { kind: 'exact', value: condition };
  if ('regex' in condition) return { kind: 'regex', value: condition.regex };
  return 'present' in condition ? { kind: 'present' } : { kind: 'absent' };
}

function compileAction({ redirect, respond, forward }: RouteConfig, scope: Scope): RouteAction {
  if (redirect !== undefined) {
    scope.note('action', ['redirect']);
    scope.note('action.status', ['redirect', 'status']);
    scope.note('action.to', ['redirect', 'to']);
    return {
      kind: 'redirect',
      status: redirect.status ?? CHOICES['routes.redirect.status'].value,
      to: redirect.to,
    };
  }
  if (respond !== undefined) {
    scope.note('action', ['respond']);
    for (const key of ['status', 'headers', 'body']) scope.note(`action.${key}`, ['respond', key]);
    const { status, headers, body } = respond;
    return { kind: 'respond', status, headers: Object.entries(headers ?? {}), body: body ?? '' };
  }
  scope.note('action', ['forward']);
  const targets = forward?.split?.map(({ cluster, weight }, at) => {
    scope.note(`action.targets.${at}`, ['forward', 'split', at]);
    return { cluster, weight: weight ?? 0 };
  });
  return { kind: 'forward', targets: targets ?? [{ cluster: forward?.cluster ?? '', weight: 1 }] };
}

function compileRewrite({ rewrite }: RouteConfig, scope: Scope): RouteSettings['rewrite'] {
  const part = <T>(key: string, value: T | undefined): T | null =>
    scope.part(`rewrite.${key}`, ['rewrite', key], value ?? null);
  return {
    replacePath: part('replacePath', rewrite?.replacePath),
    stripPrefix: part('stripPrefix', rewrite?.stripPrefix),
    regex: part('regex', rewrite?.regex),
    addPrefix: part('addPrefix', rewrite?.addPrefix),
    host: part('host', rewrite?.host),
  };
}

function compileEdits(
  edits: EditsConfig | undefined,
  side: 'request' | 'response',
  scope: Scope,
): HeaderEdits {
  for (const key of ['remove', 'set', 'add'] as const) {
    const place = `headers.${side}.${key}`;
    scope.note(place, ['headers', side, key]);
    // Field by field, because a route and the defaults may both have some.
    const fields = key === 'remove' ? (edits?.remove ?? []).keys() : Object.keys(edits?.[key] ?? {});
    for (const [at, field] of [...fields].entries())
      scope.noteEntry(`${place}.${at}`, ['headers', side, key, field]);
  }
  return {
    remove: (edits?.remove ?? []).map(name => name.toLowerCase()),
    set: Object.entries(edits?.set ?? {}),
    add: Object.entries(edits?.add ?? {}),
  };
}

function compileRetries({ retries }: RouteConfig, scope: Scope): RouteSettings['retries'] {
  const on: readonly string[] = retries?.on ?? RETRY_ON;
  for (const key of ['onConnect', 'onReset', 'onStatuses']) scope.note(`retries.${key}`, ['retries', 'on']);
  return {
    attemptsMax: scope.number('retries.attemptsMax', 'routes.retries.attempts'),
    onConnect: on.includes('connect'),
    onReset: on.includes('reset'),
    onStatuses: [...new Set(on.filter(reason => /^\d+$/.test(reason)).map(Number))].sort((a, b) => a - b),
    perTryMs: scope.limit('retries.perTryMs', 'routes.retries.perTry'),
    backoff: {
      baseMs: scope.number('retries.backoff.baseMs', 'routes.retries.backoff.base'),
      maxMs: scope.number('retries.backoff.maxMs', 'routes.retries.backoff.max'),
    },
    replayBytesMax: scope.number('retries.replayBytesMax', 'routes.retries.replayBytes'),
  };
}

function compileRateLimit(
  route: string,
  limit: RateLimitConfig,
  at: number,
  path: Path,
  origins: Origins,
): RateLimitSettings {
  const scope = new Scope(origins, limit, `routes.${route}.rateLimits.${at}`, [...path, 'rateLimits', at], 2);
  scope.note('key', ['key']);
  scope.note('count', ['rate']);
  scope.note('periodMs', ['rate']);
  const header = /^header:(.*)$/.exec(limit.key)?.[1]?.toLowerCase();
  const plain = limit.key === 'route' ? 'route' : 'clientIp';
  return {
    name: scope.part('name', [], `${route}/${at}`),
    key: header === undefined ? { kind: plain } : { kind: 'header', name: header },
    count: limit.rate.count,
    periodMs: limit.rate.periodMs,
    burst: scope.number('burst', 'routes.rateLimits.burst'),
    mode: scope.choice('mode', 'routes.rateLimits.mode'),
    store: scope.part(
      'store',
      ['store'],
      limit.store === undefined || limit.store === 'local' ? null : limit.store,
    ),
    headers: scope.choice('headers', 'routes.rateLimits.headers'),
  };
}
