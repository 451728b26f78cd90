/** Problems of a configuration: what is wrong, where, and what to do; and how they are printed. */

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
}

/** More than this would not help. */
const PROBLEMS_MAX = 200;
/** Characters of a line that are shown around the position; a file may be one line of 4 MiB. */
const SHOWN_MAX = 160;

/** In the order of the file, without duplicates. If there are too many, the last one has the number of the others. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map(problem => [`${formatPlace(problem)} ${problem.message}`, problem]));
  const sorted = [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column);
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

/** `file:10:5: error: unknown key "poool" in clusters.api (did you mean "pool"?)`, the line, and a caret. */
export function formatProblems(
  problems: readonly Problem[],
  source: string,
  options: { readonly color: boolean },
): string {
  const lines = source.split(/\r\n|[\r\n]/);
  const paint = (code: number, text: string): string =>
    options.color ? `\u001b[${code}m${text}\u001b[0m` : text;
  return problems
    .map(problem => {
      const severity = paint(problem.severity === 'error' ? 31 : 33, problem.severity);
      const head = `${formatPlace(problem)}: ${severity}: ${visible(formatMessage(problem))}\n`;
      const line = lines[problem.line - 1];
      return line === undefined || line === '' ? head : head + formatLine(problem, line, paint);
    })
    .join('');
}

function formatLine(problem: Problem, line: string, paint: (code: number, text: string) => string): string {
  const from = problem.column > SHOWN_MAX / 2 ? problem.column - SHOWN_MAX / 2 : 0;
  const shown = visible(line.slice(from, from + SHOWN_MAX));
  const before = problem.column - 1 - from;
  const caret = '^'.repeat(Math.max(1, Math.min(problem.length, shown.length - before)));
  const number = String(problem.line).padStart(5);
  return `${number} | ${shown}\n      | ${' '.repeat(before)}${paint(31, caret)}\n`;
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
