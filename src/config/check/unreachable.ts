/**
 * Finds routes that no request can reach. In the order of `routing/matcher` a more specific route never takes everything of
 * a less specific one, unless the latter is a regex, whose language is not compared with prefixes there. So only regexes are
 * checked: whether they match any path at all, and whether everything that they match is below a prefix of a route that
 * takes precedence.
 */
import { compareWithinHost, specificityOf } from '../../routing/matcher.ts';
import type { PathPattern } from '../../routing/pattern.ts';
import { canBothMatch } from '../../routing/regex_overlap.ts';
import { parseRegex } from '../../routing/regex_parser.ts';
import { compileProgram, type Program } from '../../routing/regex_program.ts';
import type { NamedMatch, RouteMatch, RouteSettings, TextMatch } from '../../routing/route.ts';

interface Unreachable {
  readonly route: string;
  readonly why: string;
}

type Route = Pick<RouteSettings, 'name' | 'match' | 'listeners'>;

/** Beyond this the comparison would slow down reloads; a lint may miss something. */
const COMPARISONS_MAX = 1_000_000;

export function findUnreachable(routes: readonly Route[]): Unreachable[] {
  const regexes = routes.filter(({ match }) => match.path.kind === 'regex');
  const anyPath = programOf('/.*');
  const found: Unreachable[] = [];
  let comparisons = 0;
  for (const route of regexes) {
    const program = specificityOf(route.match).path.regex?.program;
    if (program === undefined) continue;
    if (!canBothMatch(program, anyPath)) {
      found.push({
        route: route.name,
        why: `its regex "${route.match.path.value}" matches nothing that begins with /${suggestion(route.match.path.value)}`,
      });
      continue;
    }
    comparisons += routes.length;
    if (comparisons > COMPARISONS_MAX) break;
    const shadow = routes.find(other => other !== route && takesAll(other, route, program));
    if (shadow !== undefined)
      found.push({
        route: route.name,
        why: `route ${shadow.name} is more specific and matches all of its requests`,
      });
  }
  return found;
}

/** A regex must match the whole path; elsewhere `\.php$` is found anywhere in it. */
function suggestion(regex: string): string {
  return /^(?:\\\.|[\w-])/.test(regex) ? `; did you mean /.*${regex}?` : '';
}

/** Whether `wide` takes precedence over `narrow` and matches everything that it matches. */
function takesAll(wide: Route, narrow: Route, program: Program): boolean {
  const { path } = specificityOf(wide.match);
  if (path.regex !== null || path.steps.some(({ kind }) => kind === 'parameter')) return false;
  if (compareWithinHost(wide.match, narrow.match) >= 0) return false;
  if (!Object.keys(narrow.listeners).every(name => Object.hasOwn(wide.listeners, name))) return false;
  const hosts =
    wide.match.hosts.length === 0 ? narrow.match.hosts.length === 0 : narrow.match.hosts.length > 0;
  if (!hosts || !narrow.match.hosts.every(host => wide.match.hosts.includes(host))) return false;
  if (!isImplied(wide.match, narrow.match)) return false;
  return !canBothMatch(program, programOf(pathsOutside(path)));
}

function isImplied(wide: RouteMatch, narrow: RouteMatch): boolean {
  const methods =
    wide.methods.length === 0 ||
    (narrow.methods.length > 0 && narrow.methods.every(method => wide.methods.includes(method)));
  const held = (conditions: readonly NamedMatch[], by: readonly NamedMatch[]): boolean =>
    conditions.every(({ name, test }) => by.some(other => other.name === name && follows(test, other.test)));
  return methods && held(wide.headers, narrow.headers) && held(wide.query, narrow.query);
}

function follows(wanted: TextMatch, from: TextMatch): boolean {
  if (wanted.kind === 'present') return from.kind !== 'absent';
  return (
    wanted.kind === from.kind &&
    ('value' in wanted ? wanted.value : '') === ('value' in from ? from.value : '')
  );
}

/** A regex for every path that a pattern of literals, with or without a rest, does not match. */
function pathsOutside({ steps }: PathPattern): string {
  const text = steps.map(step => (step.kind === 'literal' ? `/${step.text}` : '')).join('');
  const isPrefix = steps.at(-1)?.kind === 'rest';
  // Built from the inside: what may follow when the whole text was matched, then one character before the other.
  let outside = isPrefix ? '[^/].*' : '..*';
  let mayEnd = false;
  for (const character of [...text].reverse()) {
    const quoted = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    outside = `(?:[^${quoted}].*|${quoted}(?:${outside})${mayEnd ? '?' : ''})`;
    mayEnd = true;
  }
  return mayEnd ? `(?:${outside})?` : outside;
}

const programs = new Map<string, Program>();

/** Not `compileRegex`: its limit on the length of a pattern is meant for patterns that people write. */
function programOf(pattern: string): Program {
  const known = programs.get(pattern);
  if (known !== undefined) return known;
  const program = compileProgram(parseRegex(pattern).node);
  if (programs.size >= PROGRAMS_MAX) programs.clear();
  programs.set(pattern, program);
  return program;
}

const PROGRAMS_MAX = 256;
