/**
 * Precedence: which of several routes is the most specific. This file alone defines it.
 *
 *   1. host   exact name, then the longest wildcard (`*.a.example.com` before `*.example.com`), then any host
 *   2. path   segment by segment from the left; the first difference decides:
 *
 *        1  the end          /a          before /a/**      so an exact path comes first,
 *        2  a literal        /a/b/**     before /a/{id}    and the longest prefix wins
 *        3  a parameter      /a/{id}     before /a/[0-9]+
 *        4  a regex          /a/[0-9]+   before /a/**
 *        5  any rest         prefix /a, which is the same as /a/**
 *
 *   3. the number of further conditions: methods (as one), each header, each query parameter; more come first
 *
 * The order in the file does not matter. A wildcard stands for one label or more, never for none: `*.example.com` does not
 * match `example.com`. When a condition of a route does not hold, the next route in this order is checked, also one of a
 * less specific host. `OPTIONS *` is about the server as a whole, so only a prefix `/` matches it.
 *
 * Two routes that are equal in all three and can match the same request are a `conflict`, an error of the configuration. All
 * of this is computed from the match alone.
 */
import { buildPathPattern, type PathPattern, type Step, shapeOf } from './pattern.ts';
import { requireRegex } from './regex.ts';
import { canBothMatch } from './regex_overlap.ts';
import type { NamedMatch, RouteMatch, RouteSettings, TextMatch } from './route.ts';

/** A path condition in a form that is compared as text: the smaller one is more specific. */
const RANKS: Readonly<Record<Step['kind'], string>> = { literal: '2', parameter: '3', regex: '4', rest: '5' };
const END = '1';

interface Specificity {
  readonly path: PathPattern;
  readonly pathRank: string;
  /** Equal for patterns that match the same paths. */
  readonly shape: string;
  readonly conditions: number;
}

/** Computed once, because the match of a plan never changes. */
const known = new WeakMap<RouteMatch, Specificity>();

export function specificityOf(match: RouteMatch): Specificity {
  const found = known.get(match);
  if (found !== undefined) return found;
  const path = buildPathPattern(match.path);
  const last = path.steps.at(-1)?.kind;
  const computed = {
    path,
    pathRank:
      path.steps.map(step => RANKS[step.kind]).join('') + (last === 'rest' || last === 'regex' ? '' : END),
    shape: shapeOf(path),
    conditions: (match.methods.length > 0 ? 1 : 0) + match.headers.length + match.query.length,
  };
  known.set(match, computed);
  return computed;
}

/** What precedence depends on. */
type Matched = Pick<RouteSettings, 'match'>;
type Served = Pick<RouteSettings, 'match' | 'listeners'>;

/** Most specific first; 0 is a tie. A route with several hosts ranks by its most specific one. */
export function compareRoutes(a: Matched, b: Matched): number {
  return (
    compareHosts(mostSpecificHost(a.match), mostSpecificHost(b.match)) || compareWithinHost(a.match, b.match)
  );
}

/** Points 2 and 3, for routes of one host. */
export function compareWithinHost(a: RouteMatch, b: RouteMatch): number {
  const one = specificityOf(a);
  const two = specificityOf(b);
  if (one.pathRank !== two.pathRank) return one.pathRank < two.pathRank ? -1 : 1;
  return two.conditions - one.conditions;
}

/** Point 1; null is any host. */
export function compareHosts(a: string | null, b: string | null): number {
  return hostRank(b) - hostRank(a);
}

const EXACT_HOST_RANK = 1_000; // above any wildcard: a name has at most 253 characters (RFC 1035 section 2.3.4)

function hostRank(host: string | null): number {
  if (host === null) return 0;
  return host.startsWith('*.') ? host.length : EXACT_HOST_RANK;
}

function mostSpecificHost(match: RouteMatch): string | null {
  return [...match.hosts].sort(compareHosts)[0] ?? null;
}

/**
 * Whether two routes can match the same request without one being more specific. Exact with one exception: two
 * regexes for one header are compared with each other, but not with a third condition on the same name.
 */
export function conflict(a: Served, b: Served): boolean {
  const one = specificityOf(a.match);
  const two = specificityOf(b.match);
  // Patterns of equal specificity differ in literals only, so they can only overlap if the literals are equal.
  if (one.pathRank !== two.pathRank || one.shape !== two.shape || one.conditions !== two.conditions)
    return false;
  if (!meet(Object.keys(a.listeners), Object.keys(b.listeners))) return false;
  // Of two different hosts that match one name, one is always more specific.
  if (!meet(hostsOf(a.match), hostsOf(b.match))) return false;
  if (a.match.methods.length > 0 && b.match.methods.length > 0 && !meet(a.match.methods, b.match.methods))
    return false;
  if (excludeEachOther(a.match.headers, b.match.headers) || excludeEachOther(a.match.query, b.match.query))
    return false;
  return (
    one.path.regex === null ||
    two.path.regex === null ||
    canBothMatch(one.path.regex.program, two.path.regex.program)
  );
}

/**
 * Pairs of conflicting routes, by index: each route with the first one that it conflicts with among those of a host, because ten
 * thousand routes of one path have fifty million pairs. Only routes that can overlap are compared.
 */
export function findConflicts(routes: readonly Served[]): [first: number, second: number][] {
  const groups = new Map<string, number[]>();
  for (const [at, { match }] of routes.entries()) {
    const { shape, conditions } = specificityOf(match);
    for (const host of hostsOf(match)) {
      const key = `${host} ${conditions} ${shape}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [at]);
      else group.push(at);
    }
  }
  const pairs = new Map<string, [number, number]>(); // two routes may share several hosts
  for (const group of groups.values()) {
    let open: readonly number[] = group; // those after the first one that conflict with none so far
    for (const first of group) {
      const others: number[] = [];
      for (const second of open) {
        const [a, b] = [routes[first], routes[second]];
        if (a === undefined || b === undefined || second <= first) continue;
        if (conflict(a, b)) pairs.set(`${first} ${second}`, [first, second]);
        else others.push(second);
      }
      open = others;
    }
  }
  return [...pairs.values()];
}

function hostsOf(match: RouteMatch): readonly string[] {
  return match.hosts.length === 0 ? ['*'] : match.hosts;
}

function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.some(item => b.includes(item));
}

function excludeEachOther(a: readonly NamedMatch[], b: readonly NamedMatch[]): boolean {
  return a.some(one => b.some(two => one.name === two.name && !canBothHold(one.test, two.test)));
}

/** A header or parameter has one value or none, so two conditions on one name can exclude each other. */
function canBothHold(a: TextMatch, b: TextMatch): boolean {
  if (a.kind === 'absent' || b.kind === 'absent') return a.kind === b.kind;
  if (a.kind === 'present' || b.kind === 'present') return true;
  if (a.kind === 'exact')
    return b.kind === 'exact' ? a.value === b.value : requireRegex(b.value).matches(a.value);
  if (b.kind === 'exact') return requireRegex(a.value).matches(b.value);
  return canBothMatch(requireRegex(a.value).program, requireRegex(b.value).program);
}
