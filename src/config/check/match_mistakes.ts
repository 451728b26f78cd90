/** Paths of routes that are allowed and read otherwise than they look: `prefix: /api/*`, `regex: ^/api`, `exact: /users/{id}`. */
import type { RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';

type Warn = (path: Path, message: string) => void;
type PathConfig = NonNullable<NonNullable<RouteConfig['match']>['path']>;

export function lintMatches(routes: readonly RouteConfig[], warn: Warn): void {
  for (const [at, { name, match, rewrite }] of routes.entries()) {
    for (const [key, text] of Object.entries(match?.path ?? {})) {
      const meant = text === undefined ? null : meantBy(key as keyof PathConfig, text);
      if (meant !== null)
        warn(['routes', at, 'match', 'path', key], `${key} ${text} of route ${name} ${meant}`);
    }
    const strip = rewrite?.stripPrefix;
    if (strip !== undefined && /\/\*+$/.test(strip))
      warn(
        ['routes', at, 'rewrite', 'stripPrefix'],
        `stripPrefix ${strip} of route ${name} takes * literally; did you mean ${withoutStars(strip)}?`,
      );
  }
}

/** What a condition does, and what was probably meant; null if it is as it looks. */
function meantBy(key: keyof PathConfig, text: string): string | null {
  if (key === 'regex') return meantByRegex(text);
  if (key === 'template') {
    const fixed = withParameters(text);
    return fixed === text ? null : `takes the colon literally; did you mean template: ${fixed}?`;
  }
  if (/\/(?:\*+|\.\*)$/.test(text)) return `takes * literally; did you mean prefix: ${withoutStars(text)}?`;
  const fixed = withParameters(text);
  if (!/\/\{[A-Za-z_]\w*\}(?:\/|$)/.test(fixed)) return null;
  const rest = key === 'prefix' ? '/**' : '';
  return `takes ${fixed === text ? 'the braces' : 'the colon'} literally; did you mean template: ${fixed}${rest}?`;
}

/** A regex must match the whole path, so one that only begins like the paths that are meant matches none of them. */
function meantByRegex(text: string): string | null {
  const begin = text.startsWith('^');
  const end = /(?:^|[^\\])(?:\\\\)*\$$/.test(text);
  const inner = text.slice(begin ? 1 : 0, end ? -1 : undefined);
  if (!inner.startsWith('/')) return null; // it matches nothing, which `unreachable.ts` reports
  const literal = inner.replace(/\\([/.-])/g, '$1');
  if (/^[\w/-]+$/.test(inner.replace(/\\[/.-]/g, '')))
    return end
      ? `matches one path; did you mean exact: ${literal}?`
      : `must match the whole path, so it matches ${literal} alone; did you mean prefix: ${literal.replace(/(.)\/$/, '$1')}?`;
  return begin && !end && !/(?:\.[*+]|\))$/.test(inner)
    ? `must match the whole path, also without $ at the end; did you mean regex: ${inner}.*?`
    : null;
}

function withoutStars(path: string): string {
  return path.replace(/\/(?:\*+|\.\*)$/, '') || '/';
}

/** `/users/:id`, as many frameworks have it. */
function withParameters(path: string): string {
  return path.replace(/\/:([A-Za-z_]\w*)(?=\/|$)/g, '/{$1}');
}
