/** Problems of a configuration: what is wrong, where, and what to do; and how they are printed. */
import { type Paint, painter } from '../observability/terminal.ts';

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; columns in UTF-16 units, as editors count them. */
  readonly line: number;
  readonly column: number;
  /** Characters to underline; at least 1. */
  readonly length: number;
  readonly message: string;
  /** Path in the configuration, such as `clusters.api.poool`; empty for the file as a whole. */
  readonly path: string;
  /** What was probably meant. */
  readonly hint?: string;
  /** The route, cluster or listener that has the value from elsewhere in the file. Only until `inOrder` has joined them. */
  readonly inheritedBy?: string;
}

/** More than this would not help. */
const PROBLEMS_MAX = 200;
/** Characters of a line that are shown around the position; a file may be one line of 4 MiB. */
const SHOWN_MAX = 160;

/** In the order of the file, without duplicates. If there are too many, the last one has the number of the others. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const sorted = unique(problems).sort((a, b) => a.line - b.line || a.column - b.column);
  const last = sorted[PROBLEMS_MAX - 1];
  if (last === undefined || sorted.length <= PROBLEMS_MAX) return sorted;
  const rest = sorted.slice(PROBLEMS_MAX - 1);
  const severity = rest.some(problem => problem.severity === 'error') ? 'error' : 'warning';
  const more = {
    ...last,
    severity,
    message: `${rest.length} more problems from here on, not shown`,
    path: '',
  } as const;
  const { hint: _, ...summary } = more;
  return [...sorted.slice(0, PROBLEMS_MAX - 1), summary];
}

/** One value in `defaults` has one problem, however many routes have it from there. */
function unique(problems: readonly Problem[]): Problem[] {
  const groups = Map.groupBy(problems, ({ severity, message, inheritedBy, ...place }) => {
    const name = inheritedBy?.split('.')[1];
    const general = name === undefined ? message : message.replace(wholeWord(name), '*');
    return `${formatPlace({ ...place })} ${severity} ${general}`;
  });
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { inheritedBy, ...problem } = first;
    if (inheritedBy === undefined) return problem;
    const items = new Set(others.map(other => other.inheritedBy));
    items.delete(inheritedBy);
    const more = items.size === 0 ? '' : ` and ${items.size} ${items.size === 1 ? 'other' : 'others'}`;
    const hints = [problem.hint, `inherited by ${inheritedBy}${more}`];
    return { ...problem, hint: hints.filter(hint => hint !== undefined).join('; ') };
  });
}

/** Names have letters, digits, hyphens and underscores, or are an index in brackets. */
function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${name.replace(/[[\]]/g, '\\$&')}(?![\\w-])`, 'g');
}

/** `file:10:5: error: unknown key "poool" in clusters.api (did you mean "pool"?)`, the line, and a caret. */
export function formatProblems(
  problems: readonly Problem[],
  source: string,
  options: { readonly color: boolean },
): string {
  const lines = source.split(/\r\n|[\r\n]/);
  const paint = painter(options.color);
  return problems
    .map(problem => {
      const severity = paint(problem.severity, problem.severity === 'error' ? 'red' : 'yellow');
      const head = `${formatPlace(problem)}: ${severity}: ${visible(formatMessage(problem))}\n`;
      const line = lines[problem.line - 1];
      return line === undefined || line === '' ? head : head + formatLine(problem, line, paint);
    })
    .join('');
}

function formatLine(problem: Problem, line: string, paint: Paint): string {
  const from = problem.column > SHOWN_MAX / 2 ? problem.column - SHOWN_MAX / 2 : 0;
  const shown = visible(line.slice(from, from + SHOWN_MAX));
  const before = problem.column - 1 - from;
  const caret = '^'.repeat(Math.max(1, Math.min(problem.length, shown.length - before)));
  const number = String(problem.line).padStart(5);
  return `${number} | ${shown}\n      | ${' '.repeat(before)}${paint(caret, 'red')}\n`;
}

/** A file may contain anything, also commands for a terminal. The length stays the same. */
function visible(text: string): string {
  return text.replaceAll('\t', ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}

export function formatPlace({ file, line, column }: Pick<Problem, 'file' | 'line' | 'column'>): string {
  return `${file}:${line}:${column}`;
}

export function formatMessage({ message, hint }: Pick<Problem, 'message' | 'hint'>): string {
  return hint === undefined ? message : `${message} (${hint})`;
}
