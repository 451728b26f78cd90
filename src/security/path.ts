/**
 * The normalised copy of a path, for matching only; the backend gets the bytes as they came (RFC 3986 section 6.2.2):
 *
 *   %61         a          an encoded unreserved character is that character, wherever it stands
 *   %2f         %2F        any other escape stays one; an encoded slash is no separator
 *   byte é      %C3%A9     what should have been encoded is
 *   /a/./b      /a/b       a lone dot changes nothing
 *   /a/../b     refused, or /b, as the rule says; never above the root
 *   //  ;x        as they are, or folded for matching (/, nothing), or refused, as the rules say
 *   %zz  \        as they are
 *
 * Backends disagree about what separates segments. Where `..` would climb for one that takes `\`, `%2F`, `%5C` for a
 * slash, or ends a segment at `;`, the path is refused whatever the rule: it cannot be matched rightly.
 */
import type { Failure } from '../resilience/failure.ts';

/** How a listener treats unusual paths. Matching uses a normalised copy, the backend gets the original bytes. */
export interface PathRules {
  /** A path with `..` segments: refused with 400, or resolved for matching (RFC 3986 section 5.2.4). */
  readonly dotSegments: 'reject' | 'resolve';
  /** `%2F` in a path: kept (it does not separate segments), or refused with 400. */
  readonly encodedSlash: 'keep' | 'reject';
  /** Several slashes in a row: kept, folded into one for matching, or refused with 400. */
  readonly slashes: 'keep' | 'fold' | 'reject';
  /** Segment parameters after a semicolon (RFC 3986 section 3.3): kept, removed for matching, or refused with 400. */
  readonly semicolons: 'keep' | 'fold' | 'reject';
}

/**
 * No escape, no byte to encode, no dot at the start of a segment, no backslash: the normalised copy equals the
 * original.
 */
const PLAIN = /^(?:\/(?!\.)[^/%\\\x80-\xff]*)*$/;
const CLIMB = /(?:[/\\]|%2F|%5C)\.\.(?:$|[/\\;]|%2F|%5C|%3B)/;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;

/** `raw` begins with a slash. Returns the normalised path, or the failure. */
export function normalisePath(raw: string, rules: PathRules): string | Failure {
  const path = normaliseEscapes(raw, rules);
  if (typeof path !== 'string') return path;
  return path.includes('//') || path.includes(';') ? foldSegments(path, rules) : path;
}

/** Backends that fold slashes or ignore parameters would serve `//admin` or `/admin;x` as `/admin`. */
function foldSegments(path: string, rules: PathRules): string | Failure {
  const { slashes, semicolons } = rules;
  let folded = path;
  if (folded.includes(';')) {
    if (semicolons === 'reject') return refused('The path contains a semicolon.');
    if (semicolons === 'fold') folded = folded.replace(/;[^/]*/g, '');
  }
  if (folded.includes('//')) {
    if (slashes === 'reject') return refused('The path contains an empty segment (//).');
    if (slashes === 'fold') folded = folded.replace(/\/{2,}/g, '/');
  }
  // `/..;x/admin` climbs once its parameter is removed.
  return folded === path ? path : withoutDots(folded, rules);
}

function normaliseEscapes(raw: string, rules: PathRules): string | Failure {
  if (PLAIN.test(raw)) return raw;
  const decoded = decodeUnreserved(raw);
  if (decoded.includes('%00')) return refused('The path contains an encoded NUL.');
  if (rules.encodedSlash === 'reject' && decoded.includes('%2F')) {
    return refused('The path contains an encoded slash.');
  }
  return withoutDots(decoded, rules);
}

function withoutDots(path: string, rules: PathRules): string | Failure {
  if (rules.dotSegments === 'reject' && CLIMB.test(path)) return refused('The path contains dot segments.');
  if (!DOT_SEGMENT.test(path)) return climbsInDisguise(path);
  const resolved = resolveDots(path);
  return resolved === null ? refused('The path climbs above its root.') : climbsInDisguise(resolved);
}

function climbsInDisguise(path: string): string | Failure {
  return CLIMB.test(path) ? refused('The path contains dot segments that cannot be resolved.') : path;
}

/** An escape with its digits; without them after a broken escape, as in `%%34`. */
const ESCAPE = /(?<=%[0-9a-fA-F]?)%[0-9a-fA-F]{2}|%([0-9a-fA-F]{2})/g;

/**
 * `%61` is `a`; any other escape only gets upper-case digits; a lone `%` stays. Done once or twice, the result is the
 * same: an escape that would complete a broken one (`%%341` would become `%41`) is not decoded.
 */
export function decodeUnreserved(text: string): string {
  return text
    .replace(ESCAPE, (escaped, digits: string | undefined) => {
      const character = digits === undefined ? '' : String.fromCharCode(Number.parseInt(digits, 16));
      return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped.toUpperCase();
    })
    .replace(/[\x80-\xff]/g, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** RFC 3986 section 5.2.4, but null for a path that climbs above the root. */
function resolveDots(path: string): string | null {
  const output: string[] = [];
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '..' && output.pop() === undefined) return null;
    if (segment !== '..' && segment !== '.') output.push(segment);
  }
  const last = segments.at(-1);
  if (last === '.' || last === '..') output.push('');
  return `/${output.join('/')}`;
}

function refused(detail: string): Failure {
  return { kind: 'bad_request', detail };
}
