/**
 * What was probably meant where the YAML cannot be parsed. `[::1]:80`, `${VAR}`, `{host}` and `*.name` look like plain text and are
 * not: brackets, braces and asterisks have a meaning in YAML, so such text needs quotes.
 */

interface YamlHint {
  readonly hint: string;
  /** Where the text begins that needs quotes. */
  readonly position?: number;
}

/** Reasons of the parser without a line of their own that say what to do. */
const HINTS: readonly (readonly [reason: RegExp, hint: string])[] = [
  [/^deficient indentation/, 'is a bracket or quote above not closed?'],
  [/^unknown .* tag/, 'tags such as !include are not supported'],
  [
    /^unknown escape sequence/,
    'a backslash is an escape in double quotes; write the text in single quotes, or double each backslash',
  ],
];

/** Text that YAML reads as something else. The first group is what stands before it. */
const NEEDS_QUOTES: readonly { readonly text: RegExp; readonly onlyInFlow: boolean }[] = [
  {
    text: /(^|[\s,[{])(\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\](?::\d+)?(?:\/\d+)?)(?=[\s,\]}]|$)/g,
    onlyInFlow: false,
  },
  { text: /(^|[\s,[{])(\*\.[\w.-]+)/g, onlyInFlow: false },
  // A brace at the beginning of a value opens a mapping in a block, too.
  { text: /(^|\s)(\{\w+\}[^\s,[\]"']+)/g, onlyInFlow: false },
  {
    text: /(^|[\s,[{])((?!\[)(?=[^\s,]*\{)(?:[^\s,[\]{}"']|\{[^{}"'\s]*\}|\[[^\s,[\]{}"']*\])+)/g,
    onlyInFlow: true,
  },
  { text: /(^|[\s,[{])([@`%][^\s,\]}]*)/g, onlyInFlow: false },
];

export function yamlHint(reason: string, source: string, position: number): YamlHint | undefined {
  const start = Math.max(source.lastIndexOf('\n', position - 1) + 1, position - LINE_LENGTH_MAX);
  const end = source.indexOf('\n', position);
  const line = source.slice(start, Math.min(end < 0 ? source.length : end, start + 2 * LINE_LENGTH_MAX));
  // A key that is a list, which the parser reports without its position: an IPv6 address in brackets.
  if (reason.includes('complex keys')) return inWholeText(source);
  const hint = HINTS.find(([pattern]) => pattern.test(reason))?.[1];
  if (hint !== undefined) return { hint };
  const isCut = start > 0 && source[start - 1] !== '\n';
  const found = needsQuotes(line, NEEDS_QUOTES, isCut);
  return found === null ? undefined : { hint: `quote it: "${found.text}"`, position: start + found.at };
}

/** A file may be one line of 4 MiB. */
const LINE_LENGTH_MAX = 1_000;

function inWholeText(source: string): YamlHint | undefined {
  let at = 0;
  for (const line of source.split('\n')) {
    const found = line.length <= LINE_LENGTH_MAX ? needsQuotes(line, NEEDS_QUOTES.slice(0, 1), false) : null;
    if (found !== null) return { hint: `quote it: "${found.text}"`, position: at + found.at };
    at += line.length + 1;
  }
  return undefined;
}

function needsQuotes(
  line: string,
  patterns: typeof NEEDS_QUOTES,
  isInFlow: boolean,
): { readonly text: string; readonly at: number } | null {
  for (const { text, onlyInFlow } of patterns) {
    for (const match of line.matchAll(text)) {
      const [, before = '', found = ''] = match;
      const at = match.index + before.length;
      const earlier = line.slice(0, at);
      if (isQuoted(earlier) || /(?:^|\s)#/.test(earlier)) continue;
      if (!onlyInFlow || isInFlow || /(?:^|[\s:,[{-])[[{](?!.*[\]}]\s*$)/.test(earlier))
        return { text: found, at };
    }
  }
  return null;
}

/** Whether a quote is open at the end. */
function isQuoted(text: string): boolean {
  return (text.match(/"/g)?.length ?? 0) % 2 === 1 || (text.match(/'/g)?.length ?? 0) % 2 === 1;
}
