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

/** What a template consists of. */
type Template = readonly Step[];

export interface PathPattern {
  readonly steps: readonly Step[];
  /** Over the whole path; null unless the last step is a regex. */
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

/** The steps of a template, or why the text is none. */
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
 * A path as an operator writes it becomes what `RequestHead.matchPath` is: unreserved characters decoded, hexadecimal
 * digits in upper case (RFC 3986 section 6.2.2), and what cannot stand in a path as it is encoded from UTF-8.
 */
export function normalizePathLiteral(text: string): string {
  return decodeUnreserved(text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent));
}

/** Why a text is no template, or null if it is one. */
export function templateProblem(text: string): string | null {
  const template = parseTemplate(text);
  return typeof template === 'string' ? template : null;
}

/** One pattern against one path: what the trie does for all of them at once. */
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

/** A name under which two patterns meet if and only if they match the same paths; regexes: if they begin alike. */
export function shapeOf({ steps }: PathPattern): string {
  return steps.map(step => `/${step.kind === 'literal' ? step.text : SHAPES[step.kind]}`).join('');
}

// No literal contains these: braces and stars do stand in literals, so a space, which is always encoded, goes first.
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

/** `/api/v[0-9]+` always begins with the segment `api`; `v` may be a part of one. */
function leadingSegments({ literalPrefix }: LinearRegex): Step[] {
  const lastSlash = literalPrefix.lastIndexOf('/');
  if (!literalPrefix.startsWith('/') || lastSlash === 0) return [];
  // Not normalised: an expression sees the normalised path, and means what it says.
  return segmentsOf(literalPrefix.slice(0, lastSlash)).map(text => ({ kind: 'literal', text }));
}
