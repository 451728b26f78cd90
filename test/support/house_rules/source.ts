/**
 * A source file as the house rules see it: the same text three times, position for position.
 *
 * `code` has comments and the contents of strings and regular expressions blanked out, `comments` has nothing but
 * the comments; an offset in one is an offset in all. A small scanner instead of the compiler's parser, because
 * TypeScript 7 offers no parser to programs yet. What it cannot know (a slash after `)` is taken for a division)
 * does not occur in this project's style.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Source {
  /** From the root of the project, with forward slashes: `src/net/tls.ts`. */
  readonly path: string;
  readonly text: string;
  readonly code: string;
  readonly comments: string;
}

/** One broken rule. */
export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export function readSources(root: string, folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.[jt]s$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
    .map(file => parseSource(relative(root, file).replaceAll('\\', '/'), readFileSync(file, 'utf8')));
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

type Part = 'code' | 'comment' | 'literal';

export function parseSource(path: string, text: string): Source {
  let code = '';
  let comments = '';
  for (const [part, piece] of scan(text)) {
    const blank = piece.replace(/[^\n]/g, ' ');
    // Quotes stay, so that `from ''` is still seen to be an import.
    const hollow = piece.length < 2 ? piece : `${piece[0]}${blank.slice(1, -1)}${piece.at(-1)}`;
    code += part === 'code' ? piece : part === 'literal' ? hollow : blank;
    comments += part === 'comment' ? piece : blank;
  }
  return { path, text, code, comments };
}

/** Cuts a text into code, comments and literals; the pieces joined are the text again. */
function* scan(text: string): Generator<[Part, string]> {
  const openTemplates: number[] = []; // for each `${` that is open: how many braces inside it are
  let at = 0;
  let code = '';
  while (at < text.length) {
    const char = text[at] ?? '';
    const braces = openTemplates.at(-1);
    let end = at + 1;
    let part: Part = 'code';
    if (text.startsWith('//', at)) [part, end] = ['comment', until(text, '\n', at)];
    else if (text.startsWith('/*', at)) [part, end] = ['comment', until(text, '*/', at) + 2];
    else if (char === "'" || char === '"') [part, end] = ['literal', endOfString(text, at)];
    else if (char === '/' && regexMayStart(code)) [part, end] = ['literal', endOfRegex(text, at)];
    else if (char === '`' || (char === '}' && braces === 0)) {
      if (char === '}') openTemplates.pop();
      [part, end] = ['literal', endOfTemplateText(text, at)];
      if (text[end - 1] === '{') openTemplates.push(0);
    } else if (braces !== undefined && (char === '{' || char === '}')) {
      openTemplates[openTemplates.length - 1] = braces + (char === '{' ? 1 : -1);
    }
    const piece = text.slice(at, end);
    if (part !== 'comment') code = (code + (part === 'literal' ? '""' : piece)).slice(-40);
    yield [part, piece];
    at = end;
  }
}

function until(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== text[from]) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Up to the closing backtick, or past the next `${`. */
function endOfTemplateText(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '`') {
    if (text.startsWith('${', at)) return at + 2;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function endOfRegex(text: string, from: number): number {
  let at = from + 1;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

/** A slash begins a regular expression where a value is expected. */
function regexMayStart(codeBefore: string): boolean {
  const before = codeBefore.trimEnd();
  return /(^|[(,=:[!&|?{};+*%~^<>-]|\b(return|typeof|case|in|of|delete|void|throw|else|yield|await))$/.test(
    before,
  );
}
