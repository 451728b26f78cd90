/** Breaks text between words. In a file of its own, because help loads it at every call. */

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
