/**
 * What a route changes in the target on its way to the backend, and the target of a redirect. Bytes that no rule mentions
 * stay as they came.
 *
 * A target is origin form or `*`: path and query, one character per byte. `stripPrefix` and `regex` are compared with the
 * normalised path (`%61` is `a`), and the rest is cut out of the original path. With `paths.dotSegments: resolve`, a path
 * such as `/x/../api/y` is matched as `/api/y` and forwarded as it came: the original does not begin with `/api`, so nothing
 * is stripped.
 */
import { normalizePathLiteral } from './pattern.ts';
import { compileRegex, type LinearRegex, requireRegex } from './regex.ts';
import type { RewriteSettings } from './route.ts';

export interface Rewrite {
  readonly replacePath: string | null;
  /** Normalised, without a slash at the end. */
  readonly stripPrefix: string | null;
  readonly regex: LinearRegex | null;
  /** Text, and numbers of groups. */
  readonly replacement: readonly (string | number)[];
  /** Path to add in front, without a trailing slash; null: none. */
  readonly addPrefix: string | null;
}

/** Null: the target does not change (`host` is not part of it). */
export function buildRewrite(settings: RewriteSettings): Rewrite | null {
  const { replacePath, stripPrefix, addPrefix, regex } = settings;
  if (replacePath === null && stripPrefix === null && addPrefix === null && regex === null) return null;
  return {
    replacePath: replacePath === null ? null : percentEncoded(replacePath),
    stripPrefix: stripPrefix === null ? null : withoutEndSlash(normalizePathLiteral(stripPrefix)),
    regex: regex === null ? null : requireRegex(regex.pattern),
    replacement: regex === null ? [] : parseReplacement(regex.with),
    addPrefix: addPrefix === null ? null : withoutEndSlash(percentEncoded(addPrefix)),
  };
}

/** Encodes other characters as UTF-8, percent-encoded (RFC 3986 section 2.5). */
function percentEncoded(path: string): string {
  return path.toWellFormed().replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
}

export function rewriteTarget(rewrite: Rewrite, target: string): string {
  if (target === '*') return target;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? '' : target.slice(question);
  if (rewrite.replacePath !== null) return asPath(rewrite.replacePath) + query;
  let result = rewrite.stripPrefix === null ? path : stripPrefix(path, rewrite.stripPrefix);
  if (rewrite.regex !== null) result = replaceByRegex(result, rewrite.regex, rewrite.replacement);
  if (rewrite.addPrefix !== null) result = rewrite.addPrefix + result;
  return asPath(result) + query;
}

/** Only whole segments: `/api` is removed from `/api/x` and `/api`, not from `/apiv2`. */
function stripPrefix(path: string, prefix: string): string {
  let raw = 0;
  for (let at = 0; at < prefix.length; ) {
    const unit = unitAt(path, raw);
    const normal = normalizePathLiteral(unit);
    if (unit === '' || !prefix.startsWith(normal, at)) return path;
    raw += unit.length;
    at += normal.length;
  }
  if (raw === path.length) return '/';
  return path[raw] === '/' ? path.slice(raw) : path;
}

/** One character or one escape of the original path. */
function unitAt(path: string, at: number): string {
  return path[at] === '%' && /^[0-9a-fA-F]{2}$/.test(path.slice(at + 1, at + 3))
    ? path.slice(at, at + 3)
    : path.slice(at, at + 1);
}

/** A path that does not match is kept. The text of the groups is copied from the original path. */
function replaceByRegex(path: string, regex: LinearRegex, replacement: readonly (string | number)[]): string {
  // The position of each character of the normalised path in the original, from which the groups are cut.
  let normal = '';
  const rawAt: number[] = [];
  for (let at = 0; at < path.length; ) {
    const unit = unitAt(path, at);
    const text = unit.length === 1 ? unit : normalizePathLiteral(unit);
    for (let within = 0; within < text.length; within++)
      rawAt.push(text.length === unit.length ? at + within : at);
    normal += text;
    at += unit.length;
  }
  rawAt.push(path.length);
  const groups = regex.exec(normal);
  if (groups === null) return path;
  return replacement
    .map(part => {
      const capture = typeof part === 'number' ? groups[part] : undefined;
      if (typeof part === 'string') return part;
      return capture === null || capture === undefined
        ? ''
        : path.slice(rawAt[capture.from], rawAt[capture.to]);
    })
    .join('');
}

/** `$1` to `$9` are the groups, `$$` is a dollar. */
function parseReplacement(text: string): (string | number)[] {
  return text
    .split(/(\$[1-9$])/)
    .filter(part => part !== '')
    .map(part => (/^\$[1-9]$/.test(part) ? Number(part[1]) : part === '$$' ? '$' : part));
}

/** Why `with` cannot replace what `pattern` matches; null if it can. */
export function replacementProblem(pattern: string, replacement: string): string | null {
  const regex = compileRegex(pattern);
  if (typeof regex === 'string') return regex;
  if (/[^\x21-\x7e]/.test(replacement)) return 'a path cannot contain spaces or non-ASCII characters';
  if (/[?#]/.test(replacement)) return 'a path cannot contain "?" or "#"';
  const loose = /\$(?![1-9$])/.exec(replacement.replaceAll('$$', ''));
  if (loose !== null) return 'a group is written $1 to $9; write $$ for a literal $';
  const highest = Math.max(0, ...parseReplacement(replacement).filter(part => typeof part === 'number'));
  return highest > regex.groups
    ? `it uses $${highest}, but the number of groups in the pattern is ${regex.groups}`
    : null;
}

function withoutEndSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function asPath(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

// ---- redirects

type Placeholder = 'path' | 'query' | 'host';

export interface RedirectTarget {
  readonly parts: readonly (string | { readonly kind: Placeholder })[];
  /** The client stays on the host that it asked for. */
  readonly sameHost: boolean;
}

/**
 * `{path}` is the path as it came, `{query}` includes its question mark, `{host}` has no port: the usual reason to
 * write a host is another scheme, which has another port. To keep the port, begin with `{path}`.
 */
interface RedirectFacts {
  readonly path: string;
  readonly query: string;
  readonly authority: string;
}

/** Why a text is not a redirect target; null if it is one. */
export function redirectProblem(to: string): string | null {
  const unknown = /\{(?!(?:path|query|host)\})[^}]*\}?/.exec(to);
  if (unknown !== null) return `unknown placeholder ${unknown[0]}; use {path}, {query} or {host}`;
  if (/[^\x21-\x7e]/.test(to)) return 'a redirect target cannot contain spaces or non-ASCII characters';
  // After `https://` a host must follow, and nothing of the client's path may become part of it.
  if (/^https?:\/\/(?:[A-Za-z0-9[]|\{host\})/i.test(to)) {
    return /^https?:\/\/(?:\{host\}(?::\d+)?|[A-Za-z0-9.\-_[\]:]+)(?:[/?#]|\{path\}|\{query\}|$)/i.test(to)
      ? null
      : 'the host of a redirect target must be {host}, or a name optionally with a port';
  }
  if (/^[/\\]{2}/.test(to)) return 'a redirect to another host must begin with http:// or https://';
  return /^(?:\/|\{path\})/.test(to)
    ? null
    : 'a redirect target must begin with http://, https://, / or {path}';
}

export function buildRedirect(to: string): RedirectTarget {
  const parts = to
    .split(/(\{(?:path|query|host)\})/)
    .filter(part => part !== '')
    .map(part => {
      const kind = /^\{(path|query|host)\}$/.exec(part)?.[1];
      return kind === undefined ? part : { kind: kind as Placeholder };
    });
  return { parts, sameHost: !/^https?:/i.test(to) };
}

/** A value for `Location`, safe for anything that a client sends. */
export function expandRedirect({ parts, sameHost }: RedirectTarget, facts: RedirectFacts): string {
  const host = facts.authority.replace(/:\d*$/, '');
  let location = '';
  let hostMissing = false;
  for (const part of parts) {
    if (typeof part === 'string') location += part;
    else if (part.kind === 'path') location += facts.path === '*' ? '/' : asPath(facts.path);
    else if (part.kind === 'query') location += facts.query;
    else if (host !== '') location += host;
    else hostMissing = true;
  }
  // HTTP/1.0 may come without a host. `https:///x` would mean the host x to a browser.
  if (hostMissing) location = location.replace(/^https?:\/\//i, '/');
  // `//elsewhere` is another host (RFC 3986 section 4.2), and so is `/\elsewhere` to a browser. A client must not be
  // able to produce one.
  if (sameHost || hostMissing) location = location.replace(/^[/\\]{2,}/, '/');
  return location.replace(/[^\x21-\x7e]/g, character => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
