/**
 * The regular expressions that routes may use: the part of the common syntax that needs no backtracking.
 *
 *   text  .  [a-z]  [^/]  \d \w \s \D \W \S \t  \.  (group)  (?:group)  a|b  * + ? {m} {m,} {m,n}, each also lazy
 *
 * `.` is any character. The classes are those of ASCII. Back references and look-around are not supported, because no linear
 * engine can have them. Common slips (`[]`, `a**`, a lone `{`) are refused. Characters are UTF-16 code units: a path and a
 * header field contain nothing above one byte.
 */

/** Sorted, disjoint ranges of code units, `from` and `to` included. */
export type CharSet = readonly (readonly [from: number, to: number])[];

export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: RegexNode;
      readonly min: number;
      readonly max: number; // Infinity: no bound
      readonly lazy: boolean;
    }
  /** `index` counts from 1; null for a group that captures nothing. */
  | { readonly kind: 'group'; readonly node: RegexNode; readonly index: number | null };

/** Caught by `compileRegex`, which returns its message. */
export class RegexSyntaxError extends Error {}

const REPEAT_MAX = 1_000;
const CODE_MAX = 0xffff;
const CLASSES: Readonly<Record<string, CharSet>> = {
  d: [[48, 57]],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  s: [
    [9, 13],
    [32, 32],
  ],
  t: [[9, 9]],
};

export function parseRegex(pattern: string): { readonly node: RegexNode; readonly groups: number } {
  const parser = new Parser(withoutAnchors(pattern));
  const node = parser.choice();
  if (!parser.atEnd) throw new RegexSyntaxError('unmatched ")"');
  return { node, groups: parser.groups };
}

/** The anchors are allowed and have no effect, because a match always covers the whole text. */
function withoutAnchors(pattern: string): string {
  const text = pattern.startsWith('^') ? pattern.slice(1) : pattern;
  const backslashes = /(\\*)\$$/.exec(text)?.[1]?.length;
  return backslashes !== undefined && backslashes % 2 === 0 ? text.slice(0, -1) : text;
}

class Parser {
  readonly #text: string;
  #at = 0;
  groups = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }
  #peek(): string {
    return this.#text[this.#at] ?? '';
  }
  #take(): string {
    if (this.atEnd) throw new RegexSyntaxError('the pattern ends too early');
    return this.#text[this.#at++] ?? '';
  }
  #skip(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  choice(): RegexNode {
    const first = this.#sequence();
    if (this.#peek() !== '|') return first;
    const nodes = [first];
    while (this.#skip('|')) nodes.push(this.#sequence());
    return { kind: 'choice', nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (!this.atEnd && this.#peek() !== '|' && this.#peek() !== ')') nodes.push(this.#repeated());
    return { kind: 'sequence', nodes };
  }

  #repeated(): RegexNode {
    const node = this.#atom();
    const bounds = this.#bounds();
    if (bounds === null) return node;
    const [min, max] = bounds;
    const repeat: RegexNode = { kind: 'repeat', node, min, max, lazy: this.#skip('?') };
    if (this.#bounds() !== null) throw new RegexSyntaxError('a repetition of a repetition needs a group');
    return repeat;
  }

  #bounds(): [min: number, max: number] | null {
    if (this.#skip('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#skip('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#skip('?')) return [0, 1];
    if (this.#peek() !== '{') return null;
    const match = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(this.#text.slice(this.#at));
    if (match === null)
      throw new RegexSyntaxError('"{" begins a repetition such as {2,3}; write \\{ for a literal {');
    this.#at += match[0].length;
    const min = Number(match[1]);
    const open = match[3] === '';
    const max = open ? Number.POSITIVE_INFINITY : Number(match[3] ?? min);
    if (max < min) throw new RegexSyntaxError(`${match[0]} counts backwards`);
    if (min > REPEAT_MAX || (!open && max > REPEAT_MAX)) {
      throw new RegexSyntaxError(`a repetition is limited to ${REPEAT_MAX}`);
    }
    return [min, max];
  }

  #atom(): RegexNode {
    const character = this.#take();
    switch (character) {
      case '.':
        return { kind: 'set', set: [[0, CODE_MAX]] };
      case '[':
        return { kind: 'set', set: this.#charClass() };
      case '(':
        return this.#group();
      case '\\':
        return { kind: 'set', set: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new RegexSyntaxError(`nothing before "${character}" to repeat`);
      case '^':
      case '$':
        throw new RegexSyntaxError(`"${character}" in the middle; a pattern always matches the whole text`);
      default:
        return { kind: 'set', set: single(character) };
    }
  }

  #group(): RegexNode {
    let index: number | null = null;
    if (!this.#skip('?:')) {
      if (this.#peek() === '?')
        throw new RegexSyntaxError('look-around, flags and named groups are not supported');
      index = ++this.groups;
    }
    const node = this.choice();
    if (!this.#skip(')')) throw new RegexSyntaxError('missing ")"');
    return { kind: 'group', node, index };
  }

  #escape(): CharSet {
    const character = this.#take();
    const known = CLASSES[character];
    if (known !== undefined) return known;
    const opposite = /[DWS]/.test(character) ? CLASSES[character.toLowerCase()] : undefined;
    if (opposite !== undefined) return complement(opposite);
    if (/[0-9]/.test(character)) throw new RegexSyntaxError('back references are not supported');
    if (/[A-Za-z]/.test(character)) throw new RegexSyntaxError(`unknown escape "\\${character}"`);
    return single(character);
  }

  #charClass(): CharSet {
    const negated = this.#skip('^');
    if (this.#peek() === ']')
      throw new RegexSyntaxError('an empty [] matches nothing; write \\] for a literal ]');
    const ranges: (readonly [number, number])[] = [];
    while (this.#peek() !== ']') {
      const from = this.#classItem();
      const range = this.#peek() === '-' && this.#text[this.#at + 1] !== ']';
      if (!range) {
        ranges.push(...from);
        continue;
      }
      this.#take();
      ranges.push([onlyCode(from), onlyCode(this.#classItem())]);
      const [start, end] = ranges.at(-1) ?? [0, 0];
      if (end < start) throw new RegexSyntaxError('a range in [...] goes backwards');
    }
    this.#take();
    const set = merge(ranges);
    return negated ? complement(set) : set;
  }

  #classItem(): CharSet {
    const character = this.#take();
    return character === '\\' ? this.#escape() : single(character);
  }
}

function single(character: string): CharSet {
  const code = character.charCodeAt(0);
  return [[code, code]];
}

/** The end of a range must be one character: `[a-\d]` is an error. */
function onlyCode(set: CharSet): number {
  const [range] = set;
  if (range === undefined || set.length !== 1 || range[0] !== range[1]) {
    throw new RegexSyntaxError('a range in [...] needs a character at both ends; write \\- for a literal -');
  }
  return range[0];
}

function merge(ranges: CharSet): CharSet {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function complement(set: CharSet): CharSet {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [start, end] of set) {
    if (start > from) rest.push([from, start - 1]);
    from = end + 1;
  }
  if (from <= CODE_MAX) rest.push([from, CODE_MAX]);
  return rest;
}
