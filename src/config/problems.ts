/** What is wrong with a configuration, where, and what to do; and how that is printed. */

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Characters to underline; at least 1. */
  readonly length: number;
  readonly message: string;
  /** A word that was probably meant. */
  readonly didYouMean?: string;
}

/** `file:10:5: error: unknown key "poool" in clusters.api (did you mean "pool"?)`, the line, and a caret. */
export function formatProblems(problems: readonly Problem[], source: string, options: { readonly color: boolean }): string {
  const lines = source.split(/\r?\n/);
  const paint = (code: number, text: string): string => (options.color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return problems
    .map(problem => {
      const severity = paint(problem.severity === 'error' ? 31 : 33, problem.severity);
      const head = `${formatPlace(problem)}: ${severity}: ${formatMessage(problem)}\n`;
      const text = lines[problem.line - 1];
      if (text === undefined) return head;
      const number = String(problem.line).padStart(5);
      const shown = text.replaceAll('\t', ' ');
      const caret = '^'.repeat(Math.max(1, Math.min(problem.length, shown.length - problem.column + 1)));
      return `${head}${number} | ${shown}\n      | ${' '.repeat(problem.column - 1)}${paint(31, caret)}\n`;
    })
    .join('');
}

export function formatPlace({ file, line, column }: Pick<Problem, 'file' | 'line' | 'column'>): string {
  return `${file}:${line}:${column}`;
}

export function formatMessage({ message, didYouMean }: Problem): string {
  return didYouMean === undefined ? message : `${message} (did you mean "${didYouMean}"?)`;
}

/** The candidate that is nearest to a word, if it is near enough to be a slip of the finger. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
