/** Text for terminals: tables, lines that fit, colour beside a word. */

export const RED = 31;
export const GREEN = 32;
export const YELLOW = 33;

const GAP = 2;

export interface Row {
  readonly cells: readonly string[];
  /** ANSI code of a colour; null: none. */
  readonly color: number | null;
}

/** Columns are as wide as their widest cell; lines are cut at `width`. */
export function renderTable(
  heads: readonly string[],
  rows: readonly Row[],
  width: number,
  color: boolean,
): string[] {
  const table: Row[] = [{ cells: heads, color: null }, ...rows];
  const widths = heads.map((_, at) => Math.max(...table.map(({ cells }) => (cells[at] ?? '').length)));
  return table.map(({ cells, color: code }) => {
    const text = cells.map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP)).join('');
    return paint(cut(text.trimEnd(), width), code, color);
  });
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}\u2026`;
}

/** Breaks between words; later lines are indented. A word that is longer than a line is cut. */
export function wrap(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  const margin = ' '.repeat(Math.min(indent, Math.max(0, width - 1)));
  let line = /^ */.exec(text)?.[0] ?? '';
  let isEmpty = true;
  for (const word of text.trimStart().split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = margin + word;
    } else line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map(one => cut(one.trimEnd(), width));
}

export function paint(text: string, code: number | null, color: boolean): string {
  return color && code !== null ? `\x1b[${code}m${text}\x1b[0m` : text;
}
