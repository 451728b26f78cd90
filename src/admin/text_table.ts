/** Text for terminals: tables and lines that fit. */
import type { Paint, Style } from '../observability/terminal.ts';
import { cut } from '../observability/visible_text.ts';

const GAP = 2;

export interface Row {
  readonly cells: readonly string[];
  /** Null: none. */
  readonly style: Style | null;
}

/** Columns are as wide as their widest cell; lines are cut at `width`. */
export function renderTable(
  heads: readonly string[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const table: Row[] = [{ cells: heads, style: null }, ...rows];
  const widths = heads.map((_, at) => Math.max(...table.map(({ cells }) => (cells[at] ?? '').length)));
  return table.map(({ cells, style }) => {
    const text = cells.map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP)).join('');
    const line = cut(text.trimEnd(), width);
    return style === null ? line : paint(line, style);
  });
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
