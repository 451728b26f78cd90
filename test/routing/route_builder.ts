/** Routes and requests with only what a test is about written out. */
import type {
  NamedMatch,
  PathMatch,
  RoutableRequest,
  RouteMatch,
  RouteSettings,
} from '../../src/routing/route.ts';

export interface MatchSketch {
  readonly hosts?: readonly string[];
  /** `=/a` is exact, `~/a.*` a regex, a text with braces or stars a template, any other a prefix. */
  readonly path?: string;
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

export function matchOf({ hosts, path, methods, headers, query }: MatchSketch): RouteMatch {
  return {
    hosts: hosts ?? [],
    path: pathOf(path ?? '/'),
    methods: methods ?? [],
    headers: conditionsOf(headers),
    query: conditionsOf(query),
  };
}

export function routeOf(
  sketch: MatchSketch,
  listeners: readonly string[] = ['public'],
): Pick<RouteSettings, 'match' | 'listeners'> {
  const limits = {
    requestMs: null,
    bodyIdleMs: null,
    bodyBytesMax: null,
    uploadBytesPerSecondMin: null,
    downloadBytesPerSecondMin: null,
    rateGraceMs: 1,
  };
  return { match: matchOf(sketch), listeners: Object.fromEntries(listeners.map(name => [name, limits])) };
}

export function pathOf(text: string): PathMatch {
  if (text.startsWith('=')) return { kind: 'exact', value: text.slice(1) };
  if (text.startsWith('~')) return { kind: 'regex', value: text.slice(1) };
  return { kind: /[{*]/.test(text) ? 'template' : 'prefix', value: text };
}

/** `~...` is a regex, `+` present, `-` absent. */
function conditionsOf(sketch: Readonly<Record<string, string>> = {}): NamedMatch[] {
  return Object.entries(sketch).map(([name, text]): NamedMatch => {
    if (text === '+') return { name, test: { kind: 'present' } };
    if (text === '-') return { name, test: { kind: 'absent' } };
    if (text.startsWith('~')) return { name, test: { kind: 'regex', value: text.slice(1) } };
    return { name, test: { kind: 'exact', value: text } };
  });
}

export function requestOf(request: Partial<RoutableRequest>): RoutableRequest {
  const matchHost = request.matchHost ?? 'example.com';
  return {
    method: 'GET',
    matchHost,
    matchPath: '/',
    query: '',
    headers: [],
    authority: matchHost,
    ...request,
  };
}
