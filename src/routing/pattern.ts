/**
 * Conditions on a path, as lists of steps from segment to segment. `/a/b/` has three segments: a, b and an empty one.
 *
 *   exact    /a/b         a, b                    and nothing more; a slash at the end counts
 *   prefix   /a/b         a, b, rest              /a/b, /a/b/, /a/b/c; not /a/bc
 *   template /a/{id}/**   a, parameter, rest      {id} is one segment that is not empty; ** is any rest, also none
 *   regex    /a/v[0-9]+   a, regex                the whole segments that every match begins with, then the expression
 *
 * So a prefix is a template that ends in `/**`, and a template without parameters is an exact path.
 */
import { decodeUnreserved } from '../security/path.ts';
import { type LinearRegex, requireRegex } from './regex.ts';
import type { PathMatch } from './route.ts';

export type Step =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter' }
  | { readonly kind: 'regex' }
  | { readonly kind: 'rest' };

/** Parts of a template. */
type Template = readonly Step[];

export interface PathPattern {
  readonly steps: readonly Step[];
  /** Matches the whole path; null unless the last step is a regex. */
  readonly regex: LinearRegex | null;
}

const REST: Step = { kind: 'rest' };

export function buildPathPattern(match: PathMatch): PathPattern {
  switch (match.kind) {
    case 'exact':
      return { steps: literals(match.value), regex: null };
    case 'prefix':
      return { steps: match.value === '/' ? [REST] : [...literals(match.value), REST], regex: null };
    case 'template': {
      const template = parseTemplate(match.value);
      if (typeof template === 'string') throw new Error(`the plan holds an invalid template: ${template}`);
      return { steps: template, regex: null };
    }
    case 'regex': {
      const regex = requireRegex(match.value);
      return { steps: [...leadingSegments(regex), { kind: 'regex' }], regex };
    }
  }
}

/** The steps of a template; a string is the reason why the text is not a template. */
export function parseTemplate(text: string): Template | string {
  if (!text.startsWith('/')) return 'a template must begin with "/"';
  const segments = segmentsOf(text);
  const steps: Step[] = [];
  for (const [at, segment] of segments.entries()) {
    if (segment === '**') {
      if (at < segments.length - 1) return '"**" may only be the last segment';
      steps.push(REST);
    } else if (/^\{[A-Za-z_]\w*\}$/.test(segment)) steps.push({ kind: 'parameter' });
    else if (/[{}*]/.test(segment)) return `the segment "${segment}" must be literal text, {name} or **`;
    else steps.push(literal(segment));
  }
  return steps;
}

/**
 * Converts a path as an operator writes it to the form of `RequestHead.matchPath`: unreserved characters decoded,
 * hexadecimal digits in upper case (RFC 3986 section 6.2.2), and other characters encoded as UTF-8.
 */
export function normalizePathLiteral(text: string): string {
  return decodeUnreserved(text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent));
}

/** Why a text is not a template; null if it is one. */
export function templateProblem(text: string): string | null {
  const template = parseTemplate(text);
  return typeof template === 'string' ? template : null;
}

/** Matches one pattern against one path. The trie does the same for all patterns at once. */
export function pathMatches({ steps, regex }: PathPattern, path: string): boolean {
  if (path === '*') return steps[0]?.kind === 'rest';
  if (regex !== null) return regex.matches(path);
  const segments = path.slice(1).split('/');
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'rest') return true;
    const segment = segments[at];
    if (segment === undefined) return false;
    if (step.kind === 'parameter' ? segment === '' : segment !== (step.kind === 'literal' ? step.text : null))
      return false;
  }
  return segments.length === steps.length;
}

/** A text that is equal for two patterns exactly if they match the same paths; for regexes, if they begin alike. */
export function shapeOf({ steps }: PathPattern): string {
  return steps.map(step => `/${step.kind === 'literal' ? step.text : SHAPES[step.kind]}`).join('');
}

// No literal contains these: braces and stars may be in literals, so a space is put first, which is always encoded.
const SHAPES = { parameter: ' {}', regex: ' regex', rest: ' **' } as const;

function literals(path: string): Step[] {
  return segmentsOf(path).map(literal);
}

function literal(text: string): Step {
  return { kind: 'literal', text: normalizePathLiteral(text) };
}

function segmentsOf(path: string): string[] {
  return path.slice(1).split('/');
}

/** `/api/v[0-9]+` always begins with the segment `api`; `v` may be only a part of one. */
function leadingSegments({ literalPrefix }: LinearRegex): Step[] {
  const lastSlash = literalPrefix.lastIndexOf('/');
  if (!literalPrefix.startsWith('/') || lastSlash === 0) return [];
  // Not normalised: a regex is matched against the normalised path as written.
  return segmentsOf(literalPrefix.slice(0, lastSlash)).map(text => ({ kind: 'literal', text }));
}
