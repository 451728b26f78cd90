/**
 * Text for terminals: tables and lines that fit. Errors of backends are in it, so what would be a command for the terminal is
 * escaped.
 */
import type { Paint, Style } from '../observability/terminal.ts';
import { cut, withoutControls } from '../observability/visible_text.ts';

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
  const table = [{ cells: heads, style: null }, ...rows].map(({ cells, style }) => ({
    cells: cells.map(withoutControls),
    style,
  }));
  const widths = heads.map((_, at) => Math.max(...table.map(({ cells }) => (cells[at] ?? '').length)));
  return table.map(({ cells, style }) => {
    const text = cells.map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP)).join('');
    const line = cut(text.trimEnd(), width);
    return style === null ? line : paint(line, style);
  });
}

/** Breaks between words; later lines are indented. A word that is longer than a line is cut. */
export function wrap(text: string, width: number, indent: number): string[] {
  const shown = withoutControls(text);
  const start = /^ */.exec(shown)?.[0] ?? '';
  const margin = ' '.repeat(Math.min(indent, Math.max(0, width - 1)));
  const words = shown.slice(start.length).split(' ');
  const lines = fill(words, width - margin.length, width - start.length);
  return lines.map((line, at) => cut(`${at === 0 ? start : margin}${line}`.trimEnd(), width));
}

/** Lines of at most `width` characters, the first of `firstWidth`. A word that is longer than a line has one of its own. */
export function fill(words: readonly string[], width: number, firstWidth = width): string[] {
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of words) {
    if (line === null) line = word;
    else if (line.length + 1 + word.length <= (lines.length === 0 ? firstWidth : width)) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line ?? ''];
}
