/**
 *
 * Finds the most specific route that matches a request (`matcher.ts` defines precedence): a map or trie of hosts, and for
 * each host a trie of path segments. A walk meets the candidates in the order of precedence, so the first one whose
 * conditions hold is the result.
 *
 * The time depends on the length of host and path, not on the number of routes, except for routes on the same node: regexes
 * that begin alike, and routes of one path that differ only in conditions, are checked one after another. No node is visited
 * twice. Matching allocates nothing, except for a condition on the query or on a repeated field, and writes nothing except
 * what a regex remembers.
 */
import { runAtOnce, type SlicedWork } from '../resilience/time_slices.ts';
import { buildConditions, type Candidate, type Conditions, firstBroken } from './conditions.ts';
import { explainMatch, type NearRoute } from './explain_match.ts';
import { hashOf, LiteralTable, type Named } from './literal_table.ts';
import { compareWithinHost, specificityOf } from './matcher.ts';
import type { LinearRegex } from './regex.ts';
import type { RoutableRequest, RouteMatch } from './route.ts';

interface RouterEntry<T> {
  readonly match: RouteMatch;
  readonly value: T;
}

export interface Router<T> {
  match(request: RoutableRequest): T | null;
  /** The same result, with the more specific routes and why they did not match. Slow; for people only. */
  /** All routes, most specific paths first. */
  readonly values: readonly T[];
  explain(request: RoutableRequest): { readonly chosen: T | null; readonly nearer: readonly NearRoute<T>[] };
}

/** A candidate in a list of a trie node. */
interface ListedRoute<T> {
  readonly candidate: Candidate<T>;
  readonly value: T;
  readonly regex: LinearRegex | null;
  /** Null: there are none, which saves the search. */
  readonly conditions: Conditions | null;
  /** The next one in the order of precedence. */
  next: ListedRoute<T> | null;
}

/** One segment in the trie of paths. */
class PathNode<T> implements Named {
  readonly name: string;
  readonly hash: number;
  literals: LiteralTable<PathNode<T>> | null = null;
  parameter: PathNode<T> | null = null;
  end: ListedRoute<T> | null = null;
  regex: ListedRoute<T> | null = null;
  rest: ListedRoute<T> | null = null;

  constructor(name: string) {
    this.name = name;
    this.hash = hashOf(name, 0, name.length);
  }
}

/** One label in the trie of wildcards, from the right. */
class HostNode<T> implements Named {
  readonly name: string;
  readonly hash: number;
  readonly labels = new LiteralTable<HostNode<T>>();
  paths: PathNode<T> | null = null;

  constructor(name: string) {
    this.name = name;
    this.hash = hashOf(name, 0, name.length);
  }
}

export function buildRouter<T>(entries: readonly RouterEntry<T>[]): Router<T> {
  return runAtOnce(buildRouterInSlices(entries));
}

export function* buildRouterInSlices<T>(entries: readonly RouterEntry<T>[]): SlicedWork<Router<T>> {
  const candidates: Candidate<T>[] = [];
  for (const { match, value } of entries) {
    candidates.push({
      match,
      path: specificityOf(match).path,
      conditions: buildConditions(match),
      value,
    });
    yield;
  }
  candidates.sort((a, b) => compareWithinHost(a.match, b.match)); // stable: a tie keeps the given order
  const router = new TrieRouter(candidates);
  for (const candidate of candidates) {
    router.insert(candidate);
    yield;
  }
  return router;
}

class TrieRouter<T> implements Router<T> {
  readonly #candidates: readonly Candidate<T>[];
  readonly #exactHosts = new Map<string, PathNode<T>>();
  readonly #wildcards = new HostNode<T>('');
  readonly #anyHost = new PathNode<T>('');

  constructor(candidates: readonly Candidate<T>[]) {
    this.#candidates = candidates;
  }

  /** Once for each candidate, in the order of precedence. */
  insert(candidate: Candidate<T>): void {
    const { hosts } = candidate.match;
    if (hosts.length === 0) insert(this.#anyHost, candidate);
    for (const host of hosts) insert(this.#pathsOf(host), candidate);
  }

  get values(): readonly T[] {
    return this.#candidates.map(({ value }) => value);
  }

  match(request: RoutableRequest): T | null {
    return this.#find(request)?.value ?? null;
  }

  explain(request: RoutableRequest): { chosen: T | null; nearer: readonly NearRoute<T>[] } {
    const chosen = this.#find(request);
    return {
      chosen: chosen?.value ?? null,
      nearer: explainMatch(this.#candidates, chosen?.candidate ?? null, request),
    };
  }

  #find(request: RoutableRequest): ListedRoute<T> | null {
    const host = request.matchHost;
    const exact = this.#exactHosts.get(host);
    const found = exact === undefined ? null : search(exact, request);
    return (
      found ?? searchWildcards(this.#wildcards, host, host.length, request) ?? search(this.#anyHost, request)
    );
  }

  #pathsOf(host: string): PathNode<T> {
    if (host.startsWith('*.')) {
      let node = this.#wildcards;
      for (const label of host.slice(2).split('.').reverse())
        node = childOf(node.labels, label, () => new HostNode(label));
      node.paths ??= new PathNode('');
      return node.paths;
    }
    const known = this.#exactHosts.get(host);
    if (known !== undefined) return known;
    const paths = new PathNode<T>('');
    this.#exactHosts.set(host, paths);
    return paths;
  }
}

function childOf<N extends Named>(table: LiteralTable<N>, name: string, create: () => N): N {
  const known = table.find(name, 0, name.length);
  if (known !== null) return known;
  const child = create();
  table.add(child);
  return child;
}

function insert<T>(root: PathNode<T>, candidate: Candidate<T>): void {
  let node = root;
  let placed: 'end' | 'regex' | 'rest' = 'end';
  for (const step of candidate.path.steps) {
    switch (step.kind) {
      case 'literal':
        node.literals ??= new LiteralTable();
        node = childOf(node.literals, step.text, () => new PathNode(step.text));
        break;
      case 'parameter':
        node.parameter ??= new PathNode('');
        node = node.parameter;
        break;
      case 'regex':
      case 'rest':
        placed = step.kind; // always the last step
    }
  }
  node[placed] = append(node[placed], candidate);
}

/** Candidates come in the order of precedence, so a new one goes to the end of its list. */
function append<T>(list: ListedRoute<T> | null, candidate: Candidate<T>): ListedRoute<T> {
  const { conditions, match, path, value } = candidate;
  const unconditional = match.methods.length + match.headers.length + match.query.length === 0;
  const placed = {
    candidate,
    value,
    regex: path.regex,
    conditions: unconditional ? null : conditions,
    next: null,
  };
  if (list === null) return placed;
  let last = list;
  while (last.next !== null) last = last.next;
  last.next = placed;
  return list;
}

/**
 * `end`: everything right of it has been followed. At least one label must be left for the star. The deepest node is
 * first.
 */
function searchWildcards<T>(
  node: HostNode<T>,
  host: string,
  end: number,
  request: RoutableRequest,
): ListedRoute<T> | null {
  if (end <= 0) return null;
  const dot = host.lastIndexOf('.', end - 1);
  const child = node.labels.find(host, dot + 1, end);
  const found = child === null ? null : searchWildcards(child, host, dot, request);
  return found ?? (node.paths === null ? null : search(node.paths, request));
}

function search<T>(root: PathNode<T>, request: RoutableRequest): ListedRoute<T> | null {
  return request.matchPath === '*'
    ? firstHolding(root.rest, request)
    : walk(root, request.matchPath, 1, request);
}

/** Depth first and in the order of precedence: end, literal, parameter, regex, rest. */
function walk<T>(
  node: PathNode<T>,
  path: string,
  from: number,
  request: RoutableRequest,
): ListedRoute<T> | null {
  let found: ListedRoute<T> | null = null;
  if (from > path.length) found = firstHolding(node.end, request);
  else if (node.literals !== null || node.parameter !== null) {
    const slash = path.indexOf('/', from);
    const end = slash < 0 ? path.length : slash;
    const literal = node.literals === null ? null : node.literals.find(path, from, end);
    if (literal !== null) found = walk(literal, path, end + 1, request);
    if (found === null && node.parameter !== null && end > from) {
      found = walk(node.parameter, path, end + 1, request);
    }
  }
  return found ?? firstHolding(node.regex, request) ?? firstHolding(node.rest, request);
}

function firstHolding<T>(list: ListedRoute<T> | null, request: RoutableRequest): ListedRoute<T> | null {
  for (let placed = list; placed !== null; placed = placed.next) {
    if (placed.regex !== null && !placed.regex.matches(request.matchPath)) continue;
    if (placed.conditions === null || firstBroken(placed.conditions, request) < 0) return placed;
  }
  return null;
}
